// For a browser that is too old for the page, and for a page of which only half came: says so in both languages, with a way on.
// Written for old browsers; page.js sets data-open when it runs.
(function () {
  var root = document.documentElement;
  var PATIENCE = 30000;

  function line(tag, text, lang) {
    var element = document.createElement(tag);
    element.appendChild(document.createTextNode(text));
    if (lang) { element.lang = lang; element.dir = lang === "ur" ? "rtl" : "ltr"; }
    return element;
  }

  function show(name, words) {
    var main = document.getElementById("screen");
    if (!main || root.getAttribute("data-open") === "yes") return;
    root.setAttribute("data-screen", name);
    document.getElementsByTagName("header")[0].style.display = "none";
    while (main.firstChild) main.removeChild(main.firstChild);
    var box = line("div", "");
    box.className = "half";
    main.appendChild(box);
    main = box;
    var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    var use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttributeNS("http://www.w3.org/1999/xlink", "href", name === "old" ? "#p-browser" : "#p-offline");
    picture.setAttribute("class", "picture look");
    picture.setAttribute("aria-hidden", "true");
    picture.appendChild(use);
    main.appendChild(picture);
    main.appendChild(line("h1", words[0], "en"));
    main.appendChild(line("h1", words[1], "ur"));
    var button = line("button", "Try again · دوبارہ کوشش کریں");
    button.className = "main";
    button.setAttribute("data-t", "retry");
    button.onclick = function () { location.reload(); };
    main.appendChild(button);
  }

  function half() {
    show("half", ["The page did not come whole. Check your network.", "صفحہ پورا نہیں آیا۔ اپنا نیٹ ورک دیکھیں۔"]);
  }

  // What the page is written in came with these (Chrome 85).
  var modern = "noModule" in document.createElement("script") && window.Promise && Promise.any;
  if (!modern) {
    show("old", ["This browser is too old. Update Chrome, or open the link in another phone's Chrome.",
      "یہ براؤزر بہت پرانا ہے۔ Chrome اپڈیٹ کریں، یا لنک کسی اور فون کے Chrome میں کھولیں۔"]);
    return;
  }
  // The page's own element may have failed before this ran. A module runs once, however often it is asked for, and whether it came is
  // said to each who asks.
  var page = document.createElement("script");
  page.type = "module";
  page.src = "page.js";
  page.onerror = half;
  root.firstChild.appendChild(page);
  setTimeout(half, PATIENCE);
})();
