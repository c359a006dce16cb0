"use strict";
// The contents, the Rosetta view, and copying of code.

// Puts a text on the clipboard, also where the page may not use it directly, and says so.
const copy = async (text, button) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const told = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = told), 1200);
};

const button = (text, label, pressed) => {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => pressed(made));
  return made;
};

// A link opens what its target is folded into.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let each = target; each; each = each.parentElement) {
    if (each.tagName === "DETAILS") each.open = true;
  }
  target?.scrollIntoView();
};
addEventListener("hashchange", reveal);
if (location.hash) reveal();

{
  const links = new Map();
  for (const link of document.querySelectorAll(".contents a")) {
    links.set(document.getElementById(link.hash.slice(1)), link);
  }
  const passing = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = links.get(target);
        if (isIntersecting) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-30% 0px -65% 0px" },
  );
  for (const section of links.keys()) passing.observe(section);
}

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

for (const code of document.querySelectorAll("pre > code")) {
  const pressed = (made) => copy(code.textContent.replace(/\n$/, ""), made);
  code.parentElement.before(button("Copy", "Copy the code", pressed));
}
