// The slider: how far the picture before reaches over the one after. A range input carries it, so that the keyboard moves it too.

export class Slider {
    #element;
    #range;

    constructor(element) {
        this.#element = element;
        this.#range = element.querySelector('input[type=range]');
        this.#range.addEventListener('input', () => this.#move());
        this.#move();
    }

    #move() {
        const { value } = this.#range;
        this.#element.style.setProperty('--at', `${value}%`);
        this.#range.setAttribute('aria-valuetext', `${value}% before, the rest after`);
    }

    /** Shows a picture, which the browser enlarges, and the result. */
    show(before, after) {
        paint(this.#element.querySelector('.before'), before);
        paint(this.#element.querySelector('.after'), after);
    }
}

function paint(canvas, picture) {
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const context = canvas.getContext('2d');
    if (picture instanceof ImageData) context.putImageData(picture, 0, 0);
    else context.drawImage(picture, 0, 0);
}
