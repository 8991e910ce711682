"use strict";
// What helps at the desk and what no page needs: without this script all of it works by mouse and Tab.

// "/" goes to the search box from wherever nothing is being typed.
const search = document.querySelector("input[type=search]");
const TYPED_IN = "input:not([type=checkbox], [type=submit]), select, textarea, dialog";
addEventListener("keydown", (event) => {
    const alone = !(event.ctrlKey || event.metaKey || event.altKey);
    if (!search || event.key !== "/" || !alone || event.target.closest(TYPED_IN)) return;
    event.preventDefault();
    search.focus();
    search.select();
});

// A second click sends no second time what issues a key: its text would go by unseen.
document.querySelector("form:has(input[name=ticket])")?.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
});

// On a phone the filters are folded away, above the list.
const filters = document.querySelector("details.filters");
if (filters && matchMedia("(max-width: 767px)").matches) filters.open = false;

// The box that ticks all rows stands beside what is then done with them, and in no one's way to them.
const all = document.getElementById("action-toggle");
const actions = document.querySelector("#changelist-form .actions");
if (all && actions) {
    const label = document.createElement("label");
    all.removeAttribute("aria-label"); // the label says it
    label.append(all, " All on this page");
    actions.prepend(label);
}

// A list that scrolls and holds nothing to stop at is scrolled by the keyboard all the same.
const rows = document.getElementById("result_list");
if (rows && rows.scrollWidth > rows.clientWidth && !rows.querySelector("a, input")) rows.tabIndex = 0;
