// What scrolls sideways can be reached and scrolled with the keyboard, as soon as the theme has wrapped it.
const reach = () => document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap")
  .forEach(each => { each.tabIndex = 0; });
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
reach();
