// What the reader has chosen on the video page; parts listen for "change".

export class ViewState extends EventTarget {
  followed = null;
  kind = "";
  layers = { boxes: true, trails: true, numbers: true };

  follow(number) {
    this.#set("followed", number);
  }

  filter(kind) {
    this.#set("kind", kind);
  }

  setLayer(name, isShown) {
    this.layers[name] = isShown;
    this.dispatchEvent(new CustomEvent("change", { detail: "layers" }));
  }

  #set(name, value) {
    if (this[name] === value) return;
    this[name] = value;
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }
}
