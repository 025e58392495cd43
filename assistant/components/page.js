// What Streamlit leaves undone on the page: its language, names of buttons, where the keyboard is, the sidebar of a phone.
// It reads its texts from the element .page-texts, changes no state of the app, and asks no server.
(() => {
  if (window.imprintPage) return;
  window.imprintPage = true;
  document.documentElement.classList.toggle("silent", !window.speechSynthesis);
  let waiting = false, focused = null, dressed = null, held = null, frame = null;

  const texts = () => document.querySelector(".page-texts");

  function translateUploader(area, data) {
    const walker = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, size = /^(\S+) per file$/.exec(node.nodeValue);
      if (node.nodeValue === "Upload") node.nodeValue = data.upload;
      else if (size) node.nodeValue = data.perFile.replace("SIZE", size[1]);
    }
  }

  // What Streamlit's own frame says: to screen readers, in empty fields, on hovering.
  function translateFrame(words) {
    const translated = said => {
      const help = /^Help for ([^]*)$/.exec(said);
      return help ? words["Help for {}"].replace("{}", help[1]) : words[said];
    };
    for (const name of ["aria-label", "placeholder"])
      for (const one of document.querySelectorAll(`[${name}]`)) {
        const said = translated(one.getAttribute(name));
        if (said) one.setAttribute(name, said);
      }
    for (const one of document.querySelectorAll("a[href^='#'], [data-testid=stTooltipContent] p, [role=option]")) {
      const node = one.firstChild, said = node?.nodeType === Node.TEXT_NODE && words[node.nodeValue];
      if (said) node.nodeValue = said;
    }
  }

  function nameButtons() {
    for (const icon of document.querySelectorAll(":is(button, summary) [data-testid=stIconMaterial]:not([aria-hidden=true])")) {
      const button = icon.closest("button, summary");
      if (button.textContent.replace(icon.textContent, "").trim() === "") continue;
      icon.setAttribute("aria-hidden", "true");
      icon.removeAttribute("role");
    }
  }

  function focusInput() {
    const input = document.querySelector("[data-testid=stChatInputTextArea]");
    if (!input || input.disabled) { focused = null; return; }
    if (input === focused) return;
    focused = input;
    const isFree = !document.activeElement || document.activeElement === document.body;
    if (isFree && matchMedia("(pointer: fine)").matches) input.focus({ preventScroll: true });
  }

  function tend() {
    waiting = false;
    const said = texts();
    if (!said) return;
    if (document.documentElement.lang !== said.lang) document.documentElement.lang = said.lang;
    if (said.dataset.upload)
      document.querySelectorAll("[data-testid=stFileUploaderDropzone]").forEach(one => translateUploader(one, said.dataset));
    if (said.dataset.frame) translateFrame(frame ??= JSON.parse(said.dataset.frame));
    takeScheme();
    nameButtons();
    keepFocus();
    focusInput();
    countTyped();
    announceAnswer();
    announceChanges();
  }

  // Dialogs and popovers stand beside the app in the page: they take its light or dark from the root.
  function takeScheme() {
    const app = document.querySelector("[data-testid=stApp]");
    if (!app || app.className === dressed) return;  // asking for a computed style lays the whole page out
    dressed = app.className;
    document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme;
  }

  // Where what had the keyboard is gone after a run, the next thing of its kind gets it, else the page's heading.
  const FOCUSABLE = "button:not(:disabled), input:not(:disabled), textarea:not(:disabled), summary, a[href], [tabindex='0']";

  function holdFocus(event) {
    const keys = [];
    for (let one = event.target.closest("[class*=st-key-]"); one; one = one.parentElement?.closest("[class*=st-key-]"))
      keys.push([...one.classList].find(name => name.startsWith("st-key-")));
    held = { element: event.target, tag: event.target.tagName, keys };
  }

  function keepFocus() {
    if (!held || held.element.isConnected || document.activeElement !== document.body) return;
    if (isRunning()) return later();
    const { tag, keys } = held;
    held = null;
    for (const key of keys.slice(0, 2)) {
      const place = key !== "st-key-chat-page" && document.querySelector(`.${CSS.escape(key)}`);
      const found = place && (place.querySelector(`${tag}:is(${FOCUSABLE})`) || place.querySelector(FOCUSABLE));
      // A field would take the keys that are shortcuts outside of it.
      if (found && (found.tagName === tag || !found.matches("input, textarea"))) return found.focus({ preventScroll: true });
    }
    const input = document.querySelector("[data-testid=stChatInputTextArea]");
    if (input && matchMedia("(pointer: fine)").matches) {
      if (!input.disabled) input.focus({ preventScroll: true });  // else it gets it when the answer is there
      return;
    }
    const heading = document.querySelector("[data-testid=stMain] :is(h1, h2, h3)");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  }

  function isRunning() {
    return document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";
  }

  function later() {
    setTimeout(() => { if (!waiting) { waiting = true; requestAnimationFrame(tend); } }, 100);
  }

  // What changes without a click is said to those who do not see it: an answer sentence by sentence, a job as it goes on.
  const announcer = document.body.appendChild(document.createElement("div"));
  announcer.className = "announcer";
  announcer.setAttribute("role", "status");
  const known = new Map();
  let heard = null;

  function announce(text) {
    const line = announcer.appendChild(document.createElement("p"));
    line.textContent = text;
    while (announcer.childElementCount > 12) announcer.firstChild.remove();
  }

  function announceAnswer() {
    const live = document.querySelector(".st-key-assistant-live [data-testid=stMarkdown]");
    if (live) {
      heard ??= "";
      const text = live.textContent.replace(/\s*▍/, "").trim();
      if (!text.startsWith(heard)) heard = "";
      const whole = /^[^]*[.!?。！？\n](?=\s|$|[\u4e00-\u9fff])/.exec(text.slice(heard.length));
      if (!whole?.[0].trim()) return;
      announce(whole[0].trim());
      heard += whole[0];
    } else if (heard !== null) {
      if (isRunning()) return later();
      const last = [...document.querySelectorAll("[class*=st-key-assistant-] [data-testid=stMarkdown]")].pop();
      const text = last?.textContent.trim() ?? "";
      if (!text) return;
      if (text.startsWith(heard)) { if (text.length > heard.length) announce(text.slice(heard.length).trim()); } else announce(text);
      heard = null;
    }
  }

  // An element .announce says how something stands; the first time that is only noted.
  function announceChanges() {
    for (const { dataset } of document.querySelectorAll(".announce")) {
      if (known.has(dataset.of) && known.get(dataset.of) !== dataset.said) announce(dataset.said);
      known.set(dataset.of, dataset.said);
    }
  }

  function closeSidebar(event) {
    const isChoice = event.target.closest(".st-key-conversations button, .st-key-new-chat button, [data-testid=stSidebarNavLink]");
    if (isChoice && innerWidth <= 640)
      setTimeout(() => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click(), 200);
  }

  // A question is counted while it is typed, before anything is sent.
  function countTyped(event) {
    const input = document.querySelector("[data-testid=stChatInputTextArea]"), bar = document.querySelector(".window[data-latin]");
    if (!input || !bar) return;
    const text = input.value;
    if (text === "/" && event?.type === "input") return openLibrary();
    const far = [...text].filter(letter => letter > "\u2e7f").length;
    const tokens = Math.round((text.length - far) * bar.dataset.latin + far * bar.dataset.other);
    if (bar.dataset.typed === String(tokens)) return;
    bar.dataset.typed = tokens;
    bar.querySelectorAll(".typed").forEach(one => one.remove());
    if (!tokens) return;
    const tooLong = tokens > +bar.dataset.longest;
    const block = bar.querySelector(".bar").appendChild(document.createElement("span"));
    block.className = "typed";
    block.style.width = `${Math.min(100, 100 * tokens / bar.dataset.window)}%`;
    const said = bar.querySelector(".legend").appendChild(document.createElement("span"));
    said.className = tooLong ? "typed over" : "typed";
    said.setAttribute("role", tooLong ? "alert" : "note");
    said.textContent = `${bar.dataset.label} ≈ ${tokens.toLocaleString("en")}`;
    if (tooLong) said.textContent += ` · ${bar.dataset.tooLong.replace("{longest}", Number(bar.dataset.longest).toLocaleString("en"))}`;
  }

  function openLibrary() {
    document.querySelector(".st-key-prompt-library button")?.click();
  }

  // "?" lists the shortcuts and "/" goes to the input field, unless something is being typed.
  function pressKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, [contenteditable=true], [role=combobox]")) return;
    const wanted = { "?": ".st-key-shortcuts button", "/": "[data-testid=stChatInputTextArea]" }[event.key];
    const found = wanted && document.querySelector(wanted);
    if (!found) return;
    event.preventDefault();
    if (event.key === "/") found.focus(); else found.click();
  }

  // The browser's own voice; pressed again it is silent.
  function speak(event) {
    const button = event.target.closest("button.speak");
    if (!button) return;
    const isSpeaking = button.classList.contains("done");
    speechSynthesis.cancel();
    document.querySelectorAll("button.speak.done").forEach(one => one.classList.remove("done"));
    if (isSpeaking) return;
    const said = new SpeechSynthesisUtterance(button.dataset.text);
    said.lang = button.dataset.lang;
    said.onend = said.onerror = () => button.classList.remove("done");
    button.classList.add("done");
    speechSynthesis.speak(said);
  }

  async function write(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.body.appendChild(document.createElement("textarea"));  // a page without https has no clipboard
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  async function copy(event) {
    const button = event.target.closest("button.copy:not(.speak)");
    if (!button) return;
    await write(button.dataset.text);
    const before = button.title;
    button.classList.add("done");
    button.title = button.ariaLabel = button.dataset.copied;
    setTimeout(() => { button.classList.remove("done"); button.title = button.ariaLabel = before; }, 1500);
  }

  new MutationObserver(() => { if (!waiting) { waiting = true; requestAnimationFrame(tend); } })
    .observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["disabled"] });
  document.addEventListener("click", closeSidebar);
  document.addEventListener("click", copy);
  document.addEventListener("click", speak);
  document.addEventListener("keydown", pressKey);
  document.addEventListener("input", countTyped);
  document.addEventListener("focusin", holdFocus);
  tend();
})();
