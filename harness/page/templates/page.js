"use strict";
// Turns the pages of the Rosetta view, draws the charts, and shows what is pointed at.
(async () => {
  for (const rosetta of document.querySelectorAll(".rosetta")) {
    const turn = () => {
      const topic = rosetta.querySelector("input[name=topic]:checked").value;
      const shown = new Set(
        [...rosetta.querySelectorAll("input[name=framework]:checked")].map((box) => box.value),
      );
      for (const page of rosetta.querySelectorAll(".listings")) page.hidden = page.id !== topic;
      for (const listing of rosetta.querySelectorAll(".listing")) {
        listing.hidden = !shown.has(listing.dataset.framework);
      }
    };
    rosetta.addEventListener("change", turn);
    turn();
  }

  const unpacked = (id) => {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = new Blob([Uint8Array.from(packed, (letter) => letter.charCodeAt(0))]);
    return new Response(bytes.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };

  // The page's policy knows the hash of this script too.
  const vega = document.createElement("script");
  vega.textContent = await unpacked("vega");
  document.body.append(vega);

  const { charts, tables, dark } = JSON.parse(await unpacked("figures"));
  const night = matchMedia("(prefers-color-scheme: dark)");
  const tip = document.getElementById("tip");
  const views = {};

  const rows = tables.map((table) => {
    const names = Object.keys(table);
    return table[names[0]].map((_, i) => Object.fromEntries(names.map((n) => [n, table[n][i]])));
  });

  // A tooltip is text alone: nothing in it is ever read as HTML.
  const showTip = (handler, event, item, value) => {
    const told = value && typeof value === "object" ? Object.entries(value) : [];
    const known = told.filter(([, text]) => !["", "NaN", "null", "undefined"].includes(String(text)));
    tip.replaceChildren(
      ...known.flatMap(([name, text]) => {
        const [key, cell] = [document.createElement("span"), document.createElement("b")];
        key.textContent = name;
        cell.textContent = text;
        return [key, cell];
      }),
    );
    tip.hidden = known.length === 0;
    if (tip.hidden) return;
    const { clientX: x, clientY: y } = event.touches?.[0] ?? event;
    const { width, height } = tip.getBoundingClientRect();
    const left = x + 16 + width < document.documentElement.clientWidth ? x + 16 : x - 16 - width;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - height - 4))}px`;
  };

  const draw = async (name) => {
    const { spec, table, words } = charts[name];
    let text = JSON.stringify(spec);
    if (night.matches) text = text.replace(/#[0-9a-f]{6}/g, (colour) => dark[colour] ?? colour);
    const parsed = JSON.parse(text);
    parsed.data.find((each) => each.name === "table").values = rows[table].map((row) => ({ ...row }));
    views[name]?.finalize();
    const options = {
      mode: "vega",
      ast: true, // interpreted: the page's policy forbids eval
      actions: false,
      renderer: "canvas",
      defaultStyle: false,
      tooltip: showTip,
    };
    const { view } = await vegaEmbed(document.querySelector(`#${name} .canvas`), parsed, options);
    views[name] = view.description(words);
    document.getElementById(name).dataset.drawn = "yes";
  };

  const drawAll = () => Promise.all(Object.keys(charts).map(draw));
  drawAll();
  night.addEventListener("change", drawAll);
  addEventListener("scroll", () => (tip.hidden = true), { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });

  // Zoom: the axes' own signals hold what is shown; null is everything.
  const zoom = (name, how) => {
    const { table, zooms: [over, measure] } = charts[name];
    const view = views[name];
    const last = Math.max(...rows[table].map((row) => row[over]));
    const [from, to] = view.signal(`axes_${over}`) ?? [0, last];
    const width = (to - from) * (how === "in" ? 0.5 : 2);
    const begin = Math.max(0, Math.min(to, last) - width);
    if (how === "all" || width >= last) {
      view.signal(`axes_${over}`, null).signal(`axes_${measure}`, null).runAsync();
      return;
    }
    const seen = rows[table].filter((row) => row[over] >= begin && row[measure] !== null);
    const low = Math.min(...seen.map((row) => row[`${measure}_low`]));
    const high = Math.max(...seen.map((row) => row[`${measure}_high`]));
    const room = Math.max(0.06 * (high - low), 0.002 * low);
    view.signal(`axes_${over}`, [begin, Math.min(to, last)]);
    view.signal(`axes_${measure}`, [low - room, high + room]).runAsync();
  };

  for (const controls of document.querySelectorAll(".controls")) {
    const name = controls.dataset.chart;
    controls.addEventListener("click", (event) => {
      const how = event.target.dataset.zoom;
      if (how) zoom(name, how);
    });
    controls.querySelector("select").addEventListener("change", (event) => {
      views[name].signal("focus", event.target.value).runAsync();
    });
  }
})();
