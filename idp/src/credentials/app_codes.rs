//! Codes of authenticator apps: time-based one-time passwords (RFC 6238) of six digits, every 30 seconds, by HMAC-SHA-1,
//! which is what every app can do. A code of the step before or after is taken as well: clocks of phones differ, and people
//! type slowly.

use platform::clock::Timestamp;
use platform::random::Random;
use platform::typed::code;
use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

/// Digits of a code.
pub const DIGITS: usize = 6;
/// 160 bits, as RFC 4226 section 4 recommends.
const KEY_BYTES: usize = 20;
/// Modules of white around a QR code (ISO/IEC 18004 section 9.1).
const MARGIN: usize = 4;

/// The key that a person's app and this server share; never printed.
pub struct AppKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey(..)")
    }
}

/// A QR code, as a page draws it.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// Modules from side to side, the white ones around it included.
    pub size: usize,
    /// What is black, as the path of an SVG in modules.
    pub path: String,
}

impl AppKey {
    pub fn generate(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes::<KEY_BYTES>().to_vec()))
    }

    /// One that was kept.
    pub fn of(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// For who types it into the app: base 32 (RFC 4648 section 6) in groups of four.
    pub fn in_groups(&self) -> String {
        let text = Secret::from(self.0.to_vec()).to_base32();
        let groups: Vec<&str> =
            (0..text.len()).step_by(4).map(|at| &text[at..(at + 4).min(text.len())]).collect();
        groups.join(" ")
    }

    /// What the QR code says (Key Uri Format of Google Authenticator): the app shows `issuer` and `account` beside its codes.
    pub fn url(&self, issuer: &str, account: &str) -> String {
        // A colon parts the two.
        let plain = |text: &str| text.replace(':', " ");
        self.totp(&plain(issuer), &plain(account)).to_url().unwrap_or_default()
    }

    /// The step that a typed code is of, if it is one of this key around `now`.
    pub fn step_of(&self, typed: &str, now: Timestamp) -> Option<i64> {
        let typed = code(typed);
        let is_code = typed.len() == DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = u64::try_from(now.0 / 1000).ok()?;
        is_code.then(|| self.totp("", "").check(&typed, seconds)).flatten()?.try_into().ok()
    }

    /// The code that an app shows at a moment.
    #[cfg(test)]
    fn code_at(&self, now: Timestamp) -> String {
        self.totp("", "").generate(u64::try_from(now.0 / 1000).unwrap_or_default()).to_string()
    }

    fn totp(&self, issuer: &str, account: &str) -> Totp {
        let issuer = (!issuer.is_empty()).then(|| issuer.to_owned());
        // The library's own rules are about names and short keys; ours are made here.
        Builder::new()
            .with_secret(self.0.to_vec())
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_account_name(account.to_owned())
            .with_issuer(issuer)
            .build_noncompliant()
    }
}

/// Draws a text as a QR code (ISO/IEC 18004); none if it is too long for one.
pub fn picture(text: &str) -> Option<Picture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let black = colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark);
    let path = black.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width + MARGIN, at / width + MARGIN));
    Some(Picture { size: width + 2 * MARGIN, path: path.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B: the key is the text `12345678901234567890`; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let key = AppKey::of(b"12345678901234567890".to_vec().into());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(key.code_at(Timestamp(seconds * 1000)), code);
            assert_eq!(key.step_of(code, Timestamp(seconds * 1000)), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_and_late_and_however_it_was_typed() {
        let key = AppKey::generate(&Random::seeded(7));
        let now = Timestamp(1_800_000_015_000);
        let code = key.code_at(now);
        let at = |seconds: i64| Timestamp(now.0 + seconds * 1000);
        let step = now.0 / 30_000;
        for typed in [
            code.clone(),
            format!(" {} {}\n", &code[..3], &code[3..]),
            format!("{}-{}", &code[..3], &code[3..]),
        ] {
            for seconds in [-45, -30, 0, 30, 44] {
                assert_eq!(key.step_of(&typed, at(seconds)), Some(step), "{typed:?} {seconds}");
            }
        }
        assert_eq!((key.step_of(&code, at(-46)), key.step_of(&code, at(45))), (None, None));
        let one_less = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        for wrong in ["", "12345", "1234567", "abcdef", &one_less] {
            assert_eq!(key.step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_can_read_the_key_from_text_and_picture() {
        let key = AppKey::of(b"12345678901234567890".to_vec().into());
        assert_eq!(key.in_groups(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let url = key.url("Mijn: Zorg", "anna@example.nl");
        assert!(
            url.starts_with(
                "otpauth://totp/Mijn%20%20Zorg:anna%40example.nl?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            ),
            "{url}"
        );
        assert!(url.contains("issuer=Mijn%20%20Zorg"), "{url}");
        let picture = picture(&url).unwrap();
        assert!(picture.size > 30 && picture.path.starts_with("M4 4h1v1h-1z"), "{picture:?}");
        assert!(format!("{key:?}").len() < 12);
    }
}
