// What the pages do by themselves beside htmx: times in the viewer's zone, questions before what cannot be undone, and
// the history of the terminal.
"use strict";

function localTimes(root) {
  for (const t of root.querySelectorAll("time[datetime]:not([data-local])")) {
    t.dataset.local = "";
    t.textContent = new Date(t.dateTime).toLocaleString();
  }
}

document.addEventListener("htmx:load", (e) => localTimes(e.detail.elt));
document.addEventListener("DOMContentLoaded", () => localTimes(document));

document.addEventListener("click", (e) => {
  const question = e.target.closest("[data-confirm]")?.dataset.confirm;
  if (question && !confirm(question)) e.preventDefault();
});

document.addEventListener("htmx:sendError", () => { document.body.dataset.offline = ""; });
document.addEventListener("htmx:afterRequest", (e) => {
  if (e.detail.successful) delete document.body.dataset.offline;
  // A page that waits for news asks again when the master is back.
  const elt = e.detail.elt;
  if (!e.detail.successful && elt.matches?.("[hx-trigger=load]") && elt.isConnected) setTimeout(() => htmx.trigger(elt, "load"), 3000);
});

const terminal = document.getElementById("terminal");
if (terminal) {
  const input = terminal.elements.command;
  const history = JSON.parse(sessionStorage.getItem("history") || "[]");
  let at = history.length;
  terminal.addEventListener("htmx:beforeRequest", (e) => {
    if (e.target !== terminal) return;
    if (history.at(-1) !== input.value) history.push(input.value);
    sessionStorage.setItem("history", JSON.stringify(history.slice(-100)));
    at = history.length;
  });
  terminal.addEventListener("htmx:afterRequest", (e) => {
    if (e.target === terminal && e.detail.successful) input.value = "";
  });
  input.addEventListener("keydown", (e) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!step || (at === history.length && input.value && step > 0)) return;
    at = Math.max(0, Math.min(history.length, at + step));
    input.value = history[at] || "";
    e.preventDefault();
  });
}
