// What scrolls sideways can be reached and scrolled with the keyboard, once the theme has wrapped it.
const reach = () => document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap")
  .forEach(each => { each.tabIndex = 0; });
addEventListener("load", () => setTimeout(reach, 100));
