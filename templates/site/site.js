// The search, and the zoom and filters of the whole system. Everything else works without this script.
"use strict";

(() => {
  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
  search();
  system();

  function search() {
    const box = document.querySelector(".search");
    const input = document.getElementById("search");
    const results = document.getElementById("results");
    const state = document.getElementById("search-state");
    if (!box || !input || !results || !state) return;
    const root = box.dataset.root;
    const most = 30;
    let entries = null;

    // The index is a script, which a page that was opened as a file may load. It calls this function.
    window.ckiSearch = (loaded) => {
      entries = loaded.map((one) => ({ ...one, name: one.n.toLowerCase(), all: `${one.c}/${one.n} ${one.d} ${one.w}`.toLowerCase() }));
      show();
    };
    const load = () => {
      if (document.getElementById("search-index")) return;
      const script = document.createElement("script");
      script.id = "search-index";
      script.src = `${root}search-index.js`;
      document.head.append(script);
    };

    // Names that begin with the text come first, then names with it, then any other match of all words.
    const rank = (one, words) => {
      if (!words.every((word) => one.all.includes(word))) return 0;
      if (one.name === words[0]) return 4;
      if (one.name.startsWith(words[0])) return 3;
      return one.name.includes(words[0]) ? 2 : 1;
    };
    const show = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      results.hidden = words.length === 0 || !entries;
      if (results.hidden) {
        results.replaceChildren();
        state.textContent = "";
        return;
      }
      const found = entries.map((one) => [rank(one, words), one]).filter(([score]) => score > 0);
      found.sort((a, b) => b[0] - a[0]);
      const count = found.length === 1 ? "1 result" : `${found.length} results`;
      state.textContent = count;
      if (found.length === 0) {
        const none = document.createElement("p");
        none.textContent = "Nothing was found.";
        results.replaceChildren(none);
        return;
      }
      const list = document.createElement("ul");
      list.append(...found.slice(0, most).map(([, one]) => item(one)));
      results.replaceChildren(list);
      if (found.length > most) {
        const more = document.createElement("p");
        more.className = "muted";
        more.textContent = `${count}, of which these are the first ${most}.`;
        results.append(more);
      }
    };
    const item = (one) => {
      const name = document.createElement("strong");
      name.textContent = one.n;
      const category = document.createElement("span");
      category.className = "muted";
      category.textContent = ` ${one.c}`;
      const dot = document.createElement("span");
      dot.className = `dot ${one.k}`;
      const link = document.createElement("a");
      link.href = root + one.p;
      if (one.k) link.append(dot);
      link.append(name, category);
      if (one.d) link.append(document.createElement("br"), one.d);
      const element = document.createElement("li");
      element.append(link);
      return element;
    };

    input.addEventListener("focus", load);
    input.addEventListener("input", () => { load(); show(); });
    const links = () => [...results.querySelectorAll("a")];
    box.addEventListener("keydown", (event) => {
      const all = links();
      const at = all.indexOf(document.activeElement);
      if (event.key === "Escape") {
        input.value = "";
        show();
        input.focus();
      } else if (event.key === "Enter" && document.activeElement === input && all.length > 0) {
        all[0].click();
      } else if (event.key === "ArrowDown" && all.length > 0) {
        event.preventDefault();
        all[Math.min(at + 1, all.length - 1)].focus();
      } else if (event.key === "ArrowUp" && at >= 0) {
        event.preventDefault();
        (at === 0 ? input : all[at - 1]).focus();
      }
    });
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof Element && event.target.closest("input, select, textarea");
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        input.focus();
      }
    });
    document.addEventListener("click", (event) => {
      if (!box.contains(event.target)) results.hidden = true;
    });
  }

  function system() {
    const frame = document.getElementById("picture");
    const picture = document.getElementById("system");
    const shown = document.getElementById("shown");
    if (!frame || !picture || !shown) return;
    const { width, height } = picture.viewBox.baseVal;
    const fit = () => Math.min(1, (frame.clientWidth - 4) / width, (frame.clientHeight - 4) / height);
    let scale = 1;
    const zoom = (wanted) => {
      const before = scale;
      scale = Math.min(4, Math.max(0.05, wanted));
      const x = (frame.scrollLeft + frame.clientWidth / 2) / before;
      const y = (frame.scrollTop + frame.clientHeight / 2) / before;
      picture.setAttribute("width", String(Math.round(width * scale)));
      picture.setAttribute("height", String(Math.round(height * scale)));
      frame.scrollTo({ left: x * scale - frame.clientWidth / 2, top: y * scale - frame.clientHeight / 2, behavior: "instant" });
    };
    const kinds = { in: () => zoom(scale * 1.3), out: () => zoom(scale / 1.3), fit: () => zoom(fit()) };
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", kinds[button.dataset.zoom]);
    }
    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
    }, { passive: false });
    frame.addEventListener("keydown", (event) => {
      const kind = { "+": "in", "-": "out", 0: "fit" }[event.key];
      if (kind && !event.ctrlKey && !event.metaKey) kinds[kind]();
    });

    const nodes = [...picture.querySelectorAll("[data-node]")];
    const lines = [...picture.querySelectorAll("[data-ends]")];
    const choices = [...document.querySelectorAll("[data-fact]")];
    const filter = () => {
      const chosen = choices.filter((choice) => choice.value !== "");
      const visible = new Set();
      for (const node of nodes) {
        const fits = chosen.every(({ dataset, value }) => (node.dataset[dataset.fact] ?? "").split("\n").includes(value));
        node.classList.toggle("off", !fits);
        if (fits) visible.add(node.dataset.node);
      }
      for (const line of lines) {
        line.classList.toggle("off", !line.dataset.ends.split(" ").every((end) => visible.has(end)));
      }
      shown.textContent = chosen.length > 0 ? `${visible.size} of ${nodes.length} shown` : "";
    };
    for (const choice of choices) choice.addEventListener("change", filter);
    // A browser may have kept the choices of an earlier visit.
    filter();
    // At first as much as can still be read.
    zoom(Math.max(0.5, fit()));
    frame.scrollTo({ left: 0, top: 0, behavior: "instant" });
  }
})();
