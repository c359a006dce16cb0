"use strict";
// Draws each chart once it is about to be seen, shows what is pointed at, zooms, and saves.
{
  const unpacked = (id) => {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = new Blob([Uint8Array.from(packed, (letter) => letter.charCodeAt(0))]);
    return new Response(bytes.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };

  // Vega and the figures, unpacked when the first chart is drawn. The page's policy knows the hash
  // of Vega too.
  let unpacking;
  const load = async () => {
    const vega = document.createElement("script");
    vega.textContent = await unpacked("vega");
    document.body.append(vega);
    const { charts, tables, dark } = JSON.parse(await unpacked("figures"));
    const rows = tables.map((table) => {
      const names = Object.keys(table);
      return table[names[0]].map((_, i) => Object.fromEntries(names.map((n) => [n, table[n][i]])));
    });
    return { charts, rows, dark };
  };
  const loaded = () => (unpacking ??= load());

  const night = matchMedia("(prefers-color-scheme: dark)");
  const tip = document.getElementById("tip");
  const views = {};

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
    const { charts, rows, dark } = await loaded();
    const { spec, table, words } = charts[name];
    let text = JSON.stringify(spec);
    if (night.matches) text = text.replace(/#[0-9a-f]{6}/g, (colour) => dark[colour] ?? colour);
    const parsed = JSON.parse(text);
    const data = rows[table].map((row) => ({ ...row }));
    parsed.data.find((each) => each.name === "table").values = data;
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

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        draw(target.id);
      }
    },
    { rootMargin: "300px" },
  );
  for (const drawing of document.querySelectorAll(".drawing")) seen.observe(drawing);
  night.addEventListener("change", () => Object.keys(views).forEach(draw));
  addEventListener("scroll", () => (tip.hidden = true), { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });

  // Zoom: the axes' own signals hold what is shown; null is everything.
  const zoom = async (name, how) => {
    const { charts, rows } = await loaded();
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

  // Saves a chart as it is shown, on the ground that it stands on.
  const save = async (name, kind) => {
    const view = views[name];
    view.background(getComputedStyle(document.getElementById(name)).backgroundColor);
    const link = document.createElement("a");
    link.download = `${name}.${kind}`;
    link.href = await view.toImageURL(kind, kind === "png" ? 3 : 1);
    link.click();
    view.background("transparent").runAsync();
  };

  for (const drawing of document.querySelectorAll(".drawing")) {
    const tools = document.createElement("div");
    tools.className = "tools";
    for (const kind of ["svg", "png"]) {
      const label = `Save as ${kind.toUpperCase()}: ${drawing.getAttribute("aria-label")}`;
      tools.append(button(`Save ${kind.toUpperCase()}`, label, () => save(drawing.id, kind)));
    }
    drawing.after(tools);
  }
}
