"use strict";
// Fetches the page as the server renders it and replaces the parts that have changed: what is shown
// is escaped in one place, and a button that did not change keeps its focus.
const here = document.body.dataset.here;
const silence = document.getElementById("silence");
const longest = 10000; // ms; a Locust that hangs answers nothing, and refuses nothing
let heardAt = new Date();
async function refresh() {
  try {
    const answer = await fetch(here, { cache: "no-store", signal: AbortSignal.timeout(longest) });
    if (!answer.ok) throw new Error(answer.status);
    if (answer.redirected) return location.reload(); // the login has run out
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main");
    const known = new Set();
    for (const part of fresh.querySelectorAll("[data-part]")) {
      known.add(part.dataset.part);
      const old = main.querySelector(`[data-part="${part.dataset.part}"]`);
      if (old) old.querySelectorAll("details").forEach((fold, at) => {
        const same = part.querySelectorAll("details")[at];
        if (same) same.open = fold.open;
      });
      if (!old) main.insertBefore(part, main.querySelector('[data-part="start"]'));
      else if (old.outerHTML !== part.outerHTML) old.replaceWith(part);
    }
    for (const old of main.querySelectorAll("[data-part]")) if (!known.has(old.dataset.part)) old.remove();
    document.title = fresh.title;
    heardAt = new Date();
    silence.hidden = true;
  } catch {
    silence.textContent = `Locust has not answered since ${heardAt.toLocaleTimeString()}; what is shown here is from then.`;
    silence.hidden = false;
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}
setTimeout(refresh, 1000);
