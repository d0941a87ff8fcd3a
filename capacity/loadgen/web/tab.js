"use strict";
// In Locust's own page: a line on top that says how the run stands, in every state of the page, and
// the live page within the Capacity tab. Nothing within what React owns is touched.
const place = new URL(document.currentScript.dataset.place, location.href);
const line = document.createElement("a");
line.href = place.href;
line.id = "capacity-line";
line.style.cssText = "display:none;padding:8px 16px;font:15px/1.4 system-ui,sans-serif;color:#16202b;background:#cfe3f5;text-decoration:none;border-bottom:2px solid #0b5fa5";
document.body.prepend(line);
const frame = document.createElement("iframe");
frame.title = "Capacity of the target, live";
frame.style.cssText = "display:none;position:absolute;left:0;width:100%;height:1400px;border:0";
document.body.append(frame);
// Locust knows a tab only as a table; the page says all of it, with intervals.
const style = document.createElement("style");
style.textContent = ".capacity-tab .MuiTableContainer-root { display: none }";
document.head.append(style);
function mount() {
  const wanted = new URLSearchParams(location.search).get("tab") === "capacity" && document.querySelector("[role=tablist]");
  document.body.classList.toggle("capacity-tab", Boolean(wanted));
  frame.style.display = wanted ? "block" : "none";
  if (wanted) frame.style.top = `${wanted.getBoundingClientRect().bottom + scrollY + 8}px`;
  if (wanted && !frame.src) frame.src = place.href;
  const page = frame.contentDocument && frame.contentDocument.documentElement;
  if (wanted && page && page.scrollHeight) frame.style.height = `${frame.contentDocument.body.scrollHeight + 20}px`;
}
async function refresh() {
  try {
    const state = await (await fetch(new URL("data", place), { cache: "no-store" })).json();
    line.textContent = `Capacity: ${state.status}`;
    line.style.background = state.is_bad ? "#fdd9cf" : "#cfe3f5";
    line.style.display = "block";
  } catch {
    line.textContent = "Capacity: Locust does not answer";
    line.style.background = "#fdd9cf";
  }
}
refresh();
setInterval(refresh, 2000);
setInterval(mount, 500);
