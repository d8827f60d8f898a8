//! As much of an HTTP/1.1 client as the bench needs, so that little of what is measured is its own work.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The first value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// The values of `Set-Cookie`, as the next request sends them back.
    pub fn cookies(&self) -> String {
        let pairs = self.headers("set-cookie").map(|line| line.split(';').next().unwrap_or_default());
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Connection {
    pub async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: format!("localhost:{port}"), buffer: Vec::new() })
    }

    pub async fn get(&mut self, target: &str, cookies: &str) -> io::Result<Answer> {
        let cookies = if cookies.is_empty() { String::new() } else { format!("cookie: {cookies}\r\n") };
        let request = format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{cookies}\r\n", self.host);
        self.send(&request).await
    }

    /// Sends a form; `headers` are whole lines, each with its line end.
    pub async fn post(&mut self, target: &str, headers: &str, form: &str) -> io::Result<Answer> {
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: {}\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            self.host,
            form.len()
        );
        self.send(&request).await
    }

    /// Sends JSON.
    pub async fn json(
        &mut self,
        method: &str,
        target: &str,
        cookies: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\ncookie: {cookies}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.send(&request).await
    }

    async fn send(&mut self, request: &str) -> io::Result<Answer> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ended());
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(ended)?;
        let mut answer = Answer { status, head, body: String::new() };
        if answer.header("transfer-encoding").is_some() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "an answer in chunks"));
        }
        let length: usize = answer.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while self.buffer.len() < head_end + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ended());
            }
        }
        answer.body = String::from_utf8_lossy(&self.buffer[head_end..head_end + length]).into_owned();
        Ok(answer)
    }
}
