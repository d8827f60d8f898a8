// The warning before a session ends by itself. Without this file the page leaves by itself when its time is
// over, and says so at its foot. Asking how long there is left does not make it longer.
(() => {
  "use strict";

  // A page that the browser kept in memory may be of a session that has ended since.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  const dialog = document.getElementById("session-warning");
  if (!dialog || !window.fetch) return;
  const form = dialog.querySelector("form");
  const left = document.getElementById("session-warning-left");
  const announce = document.getElementById("session-announce");
  const warn = Number(dialog.dataset.warn);
  const words = dialog.querySelectorAll("[data-last]");
  for (const part of words) part.dataset.first = part.textContent;
  // Not at the limit that holds whatever somebody does: then the person is told, and may finish.
  let canExtend = dialog.dataset.canExtend === "yes";
  let understood = false;
  let end = Date.now() + Number(dialog.dataset.endsIn) * 1000;
  let asked = 0;

  const seconds = () => Math.ceil((end - Date.now()) / 1000);
  // What stands half written on the page is kept for whoever signs in again.
  const leave = () => {
    const typed = document.getElementById("typed");
    const isWritten = (field) => field.defaultValue !== undefined && field.value !== field.defaultValue;
    if (left.dataset.gone) return;
    left.dataset.gone = "yes";
    if (typed && [...typed.elements].some((field) => field.type !== "password" && isWritten(field))) {
      for (const secret of typed.querySelectorAll("input[type=password]")) secret.disabled = true;
      typed.action = dialog.dataset.keep;
      typed.submit();
    } else {
      location.replace(dialog.dataset.ended);
    }
  };

  const hear = (told) => {
    end = Date.now() + told.remaining_seconds * 1000;
    canExtend = told.can_extend;
  };

  // Another tab may have extended the session, or ended it.
  const ask = async () => {
    asked = Date.now();
    const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.ok) hear(await answer.json());
  };

  const tell = (now) => {
    // Screen readers hear this line, so it changes once a minute, and a few times near the end.
    const minutes = Math.ceil(now / 60);
    const text =
      now > 60
        ? left.dataset.minutes.replace("%", String(minutes))
        : left.dataset.seconds.replace("%", String(Math.ceil(now / 20) * 20));
    if (left.textContent !== text) left.textContent = text;
    for (const part of words) {
      const word = canExtend ? part.dataset.first : part.dataset.last;
      if (part.textContent !== word) part.textContent = word;
    }
  };

  const tick = async () => {
    if (seconds() <= warn && Date.now() - asked > 10000) {
      try {
        await ask();
      } catch {
        // Not reachable: the clock of this page goes on.
      }
    }
    const now = seconds();
    if (now <= 0) {
      leave();
    } else if (now <= warn) {
      tell(now);
      if (!dialog.open && !understood) dialog.showModal();
    } else {
      understood = false;
      if (dialog.open) dialog.close();
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!canExtend) {
      understood = true;
      dialog.close();
      return;
    }
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      if (answer.redirected || !answer.ok) {
        leave();
        return;
      }
      hear(await answer.json());
      if (seconds() > warn) {
        dialog.close();
        announce.textContent = announce.dataset.extended;
      } else {
        tick();
      }
    } catch {
      form.submit();
    }
  }, true);

  left.setAttribute("aria-live", "assertive");
  document.getElementById("session-warning-text").setAttribute("aria-live", "assertive");
  // Escape closes no question that has to be answered.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  setInterval(tick, 1000);
})();
