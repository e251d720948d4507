"use strict";
// The sliders: how far the left picture reaches, and which two pictures are shown.
const titles = { bicubic: "Bicubic", network: "Network", truth: "Original" };
function show(slider) {
    const range = slider.querySelector("input[type=range]");
    const [left, right] = slider.querySelector("input[type=radio]:checked").value.split(" ");
    slider.dataset.left = left;
    slider.dataset.right = right;
    slider.style.setProperty("--at", range.value + "%");
    slider.querySelector(".tag.left").textContent = titles[left];
    slider.querySelector(".tag.right").textContent = titles[right];
    range.setAttribute("aria-valuetext", `${range.value}% ${titles[left]}, the rest ${titles[right]}`);
}
document.addEventListener("input", (event) => {
    const slider = event.target.closest(".slider");
    if (slider) show(slider);
});
document.querySelectorAll(".slider").forEach(show);
