// What scrolls sideways can be reached and scrolled with the keyboard, and what the theme leaves without a name for
// those who do not see it has one, as soon as the theme has made it.
const mend = () => {
  document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap").forEach(each => { each.tabIndex = 0; });
  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");
  document.querySelectorAll(".md-code__nav").forEach((each, n) => each.setAttribute("aria-label", `Code ${n + 1}`));
};
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
