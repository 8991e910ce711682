"use strict";
// Shows a personal value in its place, so that the rest of the page, and what is typed in it, stays.
// Without this script the same form brings the page again.
const HIDDEN = "•••••";
const dialog = document.getElementById("password-again");
const buttonOf = (form) => document.querySelector(`button[form="${form.id}"]`);
const typed = document.getElementById("typed-password");

async function ask(form, password) {
    const body = new FormData(form);
    if (password !== undefined) body.set("password", password);
    const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: {Accept: "application/json"},
        redirect: "error",
        cache: "no-store",
    });
    if (answer.status === 429) throw new Error("Too many passwords were tried. Try again later.");
    if (!answer.ok) throw new Error("Could not be shown. Reload the page and try again.");
    return answer.json();
}

// The password that is typed, or undefined when the dialog is left.
async function passwordFor(message) {
    document.getElementById("password-asked").textContent = message;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener("close", closed, {once: true}));
    const password = dialog.returnValue === "yes" ? typed.value : undefined;
    typed.value = "";
    return password;
}

for (const form of document.querySelectorAll("form[data-reveals]")) {
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const shown = document.getElementById(form.dataset.reveals);
        const button = buttonOf(form);
        button.disabled = true;
        try {
            let answer = await ask(form);
            while (answer.reauthenticate) {
                const password = await passwordFor(answer.reauthenticate);
                if (password === undefined) return;
                answer = await ask(form, password);
            }
            shown.textContent = answer.value ?? "unreadable";
            button.hidden = true;
        } catch (error) {
            shown.textContent = error.name === "Error" ? error.message : "Could not be shown. Reload the page and try again.";
        } finally {
            button.disabled = false;
        }
    });
}
// Nothing in the clear is brought back by the browser's back button.
addEventListener("pagehide", () => {
    if (typed) typed.value = "";
    for (const form of document.querySelectorAll("form[data-reveals]")) {
        if (buttonOf(form)?.hidden) document.getElementById(form.dataset.reveals).textContent = HIDDEN;
    }
});
// Who opens an edit is where one types.
for (const edit of document.querySelectorAll("details.edits")) {
    edit.addEventListener("toggle", () => edit.open && edit.querySelector("input, textarea").focus());
}
