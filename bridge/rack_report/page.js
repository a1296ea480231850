"use strict";
const form = document.getElementById("filter");
if (form) {
  const lists = [...document.querySelectorAll("details.tests")].map((list) => ({
    list,
    open: list.open,
    body: list.querySelector("tbody"),
    rows: [...list.querySelectorAll("tbody tr")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
    name: list.querySelector("summary .name").textContent.toLowerCase(),
  }));
  const words = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const said = form.querySelector("output");
  const total = lists.reduce((sum, each) => sum + each.rows.length, 0);
  const show = () => {
    const wanted = words.value.trim().toLowerCase();
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const all = !wanted && kinds.size === boxes.length;
    let shown = 0;
    for (const { list, open, rows, name } of lists) {
      let seen = 0;
      for (const { row, text } of rows) {
        const fits = kinds.has(row.dataset.kind) && (text.includes(wanted) || name.includes(wanted));
        row.hidden = !fits;
        seen += fits;
      }
      shown += seen;
      list.hidden = !all && !seen;
      list.open = all ? open : seen > 0;
    }
    said.textContent = all ? "" : `${shown} of ${total} shown`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  const sorts = {
    time: ["slowest first", (row) => -row.dataset.s],
    heap: ["most heap kept first", (row) => +row.dataset.h],
  };
  for (const { list, body, rows } of lists) {
    const titles = [...list.querySelectorAll("th")];
    for (const title of titles) {
      const [words, key] = sorts[title.textContent] || [];
      if (!key) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = title.textContent;
      button.title = "Sort: " + words;
      button.addEventListener("click", () => {
        const done = !title.ariaSort;
        for (const each of titles) each.ariaSort = null;
        if (done) title.ariaSort = "descending";
        const ordered = rows.map((each) => each.row);
        if (done) ordered.sort((a, b) => key(a) - key(b));
        body.append(...ordered);
      });
      title.replaceChildren(button);
    }
  }
  form.hidden = false;
}
