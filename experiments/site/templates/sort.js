"use strict";
// Sorts and filters the tables of this page. The page is whole without it: rows stand by protocol, failures first.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells];
  const status = document.querySelector(".tools [role=status]");
  const say = (text) => { if (status) status.textContent = text; };
  const key = (row, at, kind) => {
    const cell = row.cells[at];
    if (kind === "text") return cell.textContent.trim().toLowerCase();
    return cell.dataset.v === "" || cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };
  const sort = (at, kind, down) => {
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      rows.sort((one, other) => {
        const a = key(one, at, kind), b = key(other, at, kind);
        if (a === null || b === null) return (a === null) - (b === null);
        return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
      });
      body.append(...rows);
    }
  };
  heads.forEach((head, at) => {
    const kind = head.dataset.sort, button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const down = before === null ? kind === "number" : before === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(at, kind, down);
      say("Sorted by " + button.firstChild.textContent + (down ? ", descending" : ", ascending") + ", within each group.");
    });
  });
  const tools = document.querySelector(".tools"), input = tools && tools.querySelector("input");
  if (!input) continue;
  tools.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, all = 0;
    for (const body of table.tBodies) {
      const group = body.querySelector(".group"), about = group ? group.textContent.toLowerCase() : "";
      let here = 0;
      for (const row of body.rows) {
        if (row === group) continue;
        const text = about + " " + row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        here += !row.hidden;
        all += 1;
      }
      body.hidden = here === 0;
      shown += here;
    }
    say(shown + " of " + all + " rows.");
  });
}
