"use strict";
// Tables sort, filter, tell that they go on to the right, and copy as Markdown or LaTeX.

// The number at the beginning of a cell's text: "1,234", "-0.5 to 0.7", "12.3 %", "1.2e-07".
const numberOf = (text) => {
  if (text === "never") return Infinity;
  const number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? null : number;
};

const sorted = (rows, column, descending, numeric) => {
  const value = (row) => {
    const text = row.cells[column].textContent.trim();
    return numeric ? numberOf(text) : text === "-" ? null : text;
  };
  const order = (a, b) => (numeric ? a - b : a.localeCompare(b, "en", { numeric: true }));
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null) - (b === null); // nothing comes last
    return (descending ? -1 : 1) * order(a, b);
  });
};

const shownCells = (table) =>
  [...table.rows]
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells].map((cell) => (cell.dataset.head ?? cell.textContent).trim()));

const asMarkdown = (table) => {
  const safe = (text) => text.replace(/[\\|`*_<[\]]/g, "\\$&");
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const [heads, ...rows] = shownCells(table).map((row) => row.map(safe));
  const rule = [...table.tHead.rows[0].cells].map((cell) =>
    cell.classList.contains("number") ? "--:" : ":--",
  );
  return [line(heads), line(rule), ...rows.map(line)].join("\n") + "\n";
};

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };

const asLatex = (table) => {
  const safe = (text) => text.replace(/[\\~^&%$#_{}]/g, (letter) => LATEX[letter] ?? `\\${letter}`);
  const line = (cells) => `${cells.map(safe).join(" & ")} \\\\`;
  const [heads, ...rows] = shownCells(table);
  const columns = [...table.tHead.rows[0].cells].map((cell) =>
    cell.classList.contains("number") ? "r" : "l",
  );
  return [
    `\\begin{tabular}{${columns.join("")}}`,
    "\\hline",
    line(heads),
    "\\hline",
    ...rows.map(line),
    "\\hline",
    "\\end{tabular}\n",
  ].join("\n");
};

const FEW = 6; // rows that need no filter

for (const scroll of document.querySelectorAll(".scroll")) {
  const table = scroll.querySelector("table");
  const body = table.tBodies[0];
  const caption = table.caption.textContent;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const numeric = head.classList.contains("number");
    head.dataset.head = head.textContent.trim();
    const sort = button(head.dataset.head, `Sort by ${head.dataset.head}`, () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...sorted([...body.rows], column, descending, numeric));
    });
    sort.className = "sort";
    head.replaceChildren(sort);
  });

  const tools = document.createElement("div");
  tools.className = "tools";
  if (body.rows.length > FEW) {
    const filter = document.createElement("input");
    Object.assign(filter, { type: "search", placeholder: "Filter rows" });
    filter.setAttribute("aria-label", `Filter rows: ${caption}`);
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    tools.append(filter);
  }
  tools.append(
    button("Copy Markdown", `Copy as Markdown: ${caption}`, (made) => copy(asMarkdown(table), made)),
    button("Copy LaTeX", `Copy as LaTeX: ${caption}`, (made) => copy(asLatex(table), made)),
  );
  scroll.after(tools);
}

// What is wider than its place says so, until it has been scrolled to its end.
const goesOn = (box) => {
  const more = box.scrollWidth - box.clientWidth - box.scrollLeft > 2;
  box.parentElement.classList.toggle("goes-on", more);
};
const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => goesOn(target)));
for (const box of document.querySelectorAll(".scroll, .listing pre")) {
  resized.observe(box);
  box.addEventListener("scroll", () => goesOn(box), { passive: true });
}
