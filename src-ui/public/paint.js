// Before the first paint: the language and theme last chosen in this window, so that nothing flashes.
(() => {
  const root = document.documentElement;
  let lang = null, theme = null;
  try { lang = localStorage.getItem("rabta.lang"); theme = localStorage.getItem("rabta.theme"); } catch { /* storage may be off */ }
  if (lang === "ur") { root.lang = "ur"; root.dir = "rtl"; }
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
})();
