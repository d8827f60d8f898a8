// Comforts only: every page works without this file.
(() => {
  "use strict";

  // The eye of a password field.
  for (const eye of document.querySelectorAll(".reveal")) {
    const input = document.getElementById(eye.getAttribute("aria-controls"));
    if (!input) continue;
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      eye.classList.toggle("reveal-on", visible);
      eye.firstElementChild.textContent = visible ? eye.dataset.hide : eye.dataset.show;
    };
    eye.hidden = false;
    eye.parentElement.classList.add("can-reveal");
    eye.addEventListener("click", () => {
      show(input.type === "password");
      input.focus();
    });
    // A password manager stores only what a password field sends.
    if (input.form) input.form.addEventListener("submit", () => show(false));
  }

  // A form is sent once: a second click waits for the answer. The button is disabled after the browser
  // has gathered the fields, because a disabled button would not be among them.
  const forget = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[data-sent]")) {
      button.disabled = false;
      delete button.dataset.sent;
    }
  };
  for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      setTimeout(() => {
        for (const button of form.querySelectorAll("button:not([type=button]):not([disabled])")) {
          button.dataset.sent = "yes";
          button.disabled = true;
        }
      });
      setTimeout(() => forget(form), 15000);
    });
  }
  addEventListener("pageshow", () => document.querySelectorAll("form").forEach(forget));

  // `<p data-countdown="30">... <span>30</span> ...</p>` counts down; the button with the id in
  // `data-unlocks` can be pressed when it is over.
  for (const line of document.querySelectorAll("[data-countdown]")) {
    const button = document.getElementById(line.dataset.unlocks);
    const number = line.querySelector("span");
    const end = Date.now() + Number(line.dataset.countdown) * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) {
        line.hidden = true;
        if (button) button.disabled = false;
        clearInterval(timer);
      } else if (number) {
        number.textContent = String(left);
      }
    };
    const timer = setInterval(tick, 1000);
    if (button) button.disabled = true;
    tick();
  }

  // A button that prints the page.
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // On paper nothing can be opened: parts of the page that are folded away are printed open.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details.card:not([open])")];
    for (const part of unfolded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of unfolded) part.open = false;
  });

  // The code of an SMS, where the browser can read it for this site (WebOTP).
  const code = document.querySelector('input[autocomplete="one-time-code"][data-sms]');
  if (code && "OTPCredential" in window) {
    const abort = new AbortController();
    if (code.form) code.form.addEventListener("submit", () => abort.abort());
    navigator.credentials
      .get({ otp: { transport: ["sms"] }, signal: abort.signal })
      .then((credential) => {
        if (credential && !code.value) code.value = credential.code;
      })
      .catch(() => {});
  }

  // The summary of what went wrong is read first.
  const summary = document.querySelector(".error-summary");
  if (summary) {
    summary.tabIndex = -1;
    summary.focus();
  }
})();
