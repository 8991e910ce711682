"use strict";
// Shows a personal value in its place, so that the rest of the page, and what is typed in it, stays.
// Without this script the same form brings the page again.
for (const form of document.querySelectorAll("form[data-reveals]")) {
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const shown = document.getElementById(form.dataset.reveals);
        const button = form.querySelector("button");
        button.disabled = true;
        try {
            const answer = await fetch(form.action, {
                method: "POST",
                body: new FormData(form),
                headers: {Accept: "application/json"},
                redirect: "error",
                cache: "no-store",
            });
            if (!answer.ok) throw new Error(answer.status);
            const {value} = await answer.json();
            shown.textContent = value ?? "unreadable";
            form.hidden = true;
        } catch {
            shown.textContent = "Could not be shown. Reload the page and try again.";
            button.disabled = false;
        }
    });
}
// Nothing in the clear is brought back by the browser's back button.
addEventListener("pagehide", () => {
    for (const form of document.querySelectorAll("form[data-reveals][hidden]")) {
        document.getElementById(form.dataset.reveals).textContent = "•••••";
    }
});
