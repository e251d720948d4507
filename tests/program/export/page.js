// Uses the page as a person does, and tells what came of it.
const frame = document.createElement('iframe');
frame.src = 'index.html';
[frame.width, frame.height] = [900, 1200];
document.body.append(frame);
await new Promise((done) => (frame.onload = done));
const [view, page] = [frame.contentWindow, frame.contentDocument];
const at = (id) => page.getElementById(id);
const until = async (is) => {
    while (!is()) await new Promise((done) => setTimeout(done, 20));
};
await until(() => at('status').textContent === 'Ready.');

const drop = (file) => {
    const dataTransfer = new view.DataTransfer();
    dataTransfer.items.add(file);
    page.dispatchEvent(new view.DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
};
drop(new view.File(['words'], 'notes.txt', { type: 'text/plain' }));
const refused = at('status').textContent;

const enlarged = () => new Promise((done) => page.addEventListener('enlarged', done, { once: true }));
// What the page lets the browser save.
const saved = [];
view.HTMLAnchorElement.prototype.click = function () {
    saved.push({ name: this.download, href: this.href });
};
const save = async () => {
    const before = saved.length;
    at('download').click();
    await until(() => saved.length > before);
    const { name, href } = saved.at(-1);
    await tell(`/files/${name}`, await (await fetch(href)).blob());
};
const bytes = await (await fetch('picture.png')).blob();
let done = enlarged();
drop(new view.File([bytes], 'picture.png', { type: 'image/png' }));
await done;
await save();

const range = page.querySelector('#slider input');
range.focus();
range.value = 30;
range.dispatchEvent(new view.Event('input', { bubbles: true }));
const slider = range.getAttribute('aria-valuetext');
const cut = page.getElementById('slider').style.getPropertyValue('--at');

done = enlarged();
at('scale').value = '3';
at('scale').dispatchEvent(new view.Event('change', { bubbles: true }));
await done;
await save();
await tell('/told', JSON.stringify({
    refused, slider, cut,
    files: saved.map(({ name }) => name),
    focus: page.activeElement.type,
    size: at('about').textContent,
    networks: at('terms').textContent,
}));
