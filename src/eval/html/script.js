"use strict";
// The sliders: how far the left picture reaches, and which two pictures are shown.
function show(slider) {
    const range = slider.querySelector("input[type=range]");
    const [left, right] = slider.querySelector("input[type=radio]:checked").value.split(" ");
    const names = {};
    for (const view of slider.querySelectorAll(".stage img")) {
        const side = { [left]: "left", [right]: "right" }[view.className];
        if (side) {
            view.dataset.side = side;
            names[side] = view.dataset.title;
        } else {
            delete view.dataset.side;
        }
    }
    slider.style.setProperty("--at", range.value + "%");
    slider.querySelector(".tag.left").textContent = names.left;
    slider.querySelector(".tag.right").textContent = names.right;
    range.setAttribute("aria-valuetext", `${range.value}% ${names.left}, the rest ${names.right}`);
}
document.addEventListener("input", (event) => {
    const slider = event.target.closest(".slider");
    if (slider) show(slider);
});
document.querySelectorAll(".slider").forEach(show);
