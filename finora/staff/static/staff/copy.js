"use strict";
// A button with data-copies="id" copies the value of that input. Without a secure connection
// browsers have no clipboard for pages; then the text is selected, ready for Ctrl+C.
for (const button of document.querySelectorAll("button[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    const said = button.parentElement.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
        source.select();
        try {
            await navigator.clipboard.writeText(source.value);
            said.textContent = "Copied.";
        } catch {
            said.textContent = "Selected: press Ctrl+C (⌘C).";
        }
    });
}
