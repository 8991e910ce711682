"use strict";
// Sends a file in pieces, and follows an import's state. Without this script a small file comes with
// the form, and a link looks again.
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

async function post(url, body, headers = {}) {
    const answer = await fetch(url, {
        method: "POST",
        body,
        headers: {"X-CSRFToken": token(), ...headers},
        cache: "no-store",
    });
    if (!answer.ok) throw new Error("The file could not be sent. Reload the page and try again.");
    return answer;
}

for (const form of document.querySelectorAll("form[data-sends]")) {
    const said = form.querySelector("[data-said]");
    form.addEventListener("submit", async (event) => {
        const file = form.elements.file.files[0];
        if (!file) return;
        event.preventDefault();
        const button = form.querySelector("[type=submit]");
        button.disabled = true;
        try {
            if (file.size > Number(form.dataset.most)) throw new Error("The file is too large.");
            const fields = new FormData(form);
            fields.delete("file");
            fields.set("size", file.size);
            const opened = await post(form.action, fields, {Accept: "application/json"});
            if (!opened.headers.get("Content-Type").startsWith("application/json")) {
                throw new Error("Choose a business first.");
            }
            const urls = await opened.json();
            const size = Number(form.dataset.piece);
            for (let number = 0; number * size < file.size; number += 1) {
                const piece = file.slice(number * size, (number + 1) * size);
                await post(`${urls.piece}?number=${number}`, piece, {"Content-Type": "application/octet-stream"});
                said.textContent = `${Math.round(100 * Math.min(1, (number + 1) * size / file.size))} % sent`;
            }
            await post(urls.look, fields);
            location.assign(urls.page);
        } catch (error) {
            said.textContent = error.name === "Error" ? error.message : "The file could not be sent. Try again.";
            button.disabled = false;
        }
    });
}

for (const line of document.querySelectorAll("[data-follows]")) {
    const look = async () => {
        let answer;
        try {
            answer = await (await fetch(line.dataset.follows, {cache: "no-store", redirect: "error"})).json();
        } catch {
            return; // logged out, or away: the page stays as it is
        }
        if (answer.version !== line.dataset.version) {
            location.reload();
            return;
        }
        const bar = line.querySelector("progress");
        if (bar) {
            bar.value = Number(answer.percent);
            line.querySelector("[data-said]").textContent = answer.said;
        }
        setTimeout(look, 700);
    };
    setTimeout(look, 400);
}
