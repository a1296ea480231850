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
  const show = () => {
    const wanted = words.value.trim().toLowerCase();
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const all = !wanted && kinds.size === boxes.length;
    for (const { list, open, rows, name } of lists) {
      let seen = 0;
      for (const { row, text } of rows) {
        const fits = kinds.has(row.dataset.kind) && (text.includes(wanted) || name.includes(wanted));
        row.hidden = !fits;
        seen += fits;
      }
      list.hidden = !all && !seen;
      list.open = all ? open : seen > 0;
    }
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  const keys = { time: (row) => -row.dataset.s, heap: (row) => +row.dataset.h };
  for (const { list, body, rows } of lists) {
    for (const title of list.querySelectorAll("th")) {
      const key = keys[title.textContent];
      if (!key) continue;
      title.classList.add("sorts");
      title.tabIndex = 0;
      title.title = "Sort: " + (title.textContent === "time" ? "slowest first" : "most heap kept first");
      const sort = () => {
        const done = title.classList.toggle("sorted");
        const ordered = rows.map((each) => each.row);
        if (done) ordered.sort((a, b) => key(a) - key(b));
        body.append(...ordered);
      };
      title.addEventListener("click", sort);
      title.addEventListener("keydown", (event) => event.key === "Enter" && sort());
    }
  }
  form.hidden = false;
}
