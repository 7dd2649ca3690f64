"use strict";
// Saves figures as SVG or PNG. The page is whole without it.
function drawn(drawing) {
  const copy = drawing.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const text = document.createElementNS("http://www.w3.org/2000/svg", "desc");
  text.textContent = drawing.getAttribute("aria-label");
  copy.prepend(text);
  return new XMLSerializer().serializeToString(copy);
}
function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function save(drawing, kind) {
  const source = drawn(drawing), name = drawing.dataset.name;
  if (kind === "svg") { offer(new Blob([source], {type: "image/svg+xml"}), name + ".svg"); return; }
  const image = new Image(), scale = 3;
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = scale * Number(drawing.getAttribute("width"));
    canvas.height = scale * Number(drawing.getAttribute("height"));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => offer(blob, name + ".png"), "image/png");
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(source);
}
for (const box of document.querySelectorAll(".save")) {
  box.hidden = false;
  const drawing = box.closest("figure").querySelector("svg");
  for (const button of box.querySelectorAll("button")) {
    button.addEventListener("click", () => save(drawing, button.dataset.kind));
  }
}
// A link to a line that is folded away unfolds it.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && target.closest("details");
  if (folded && !folded.open) { folded.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", unfold);
unfold();
