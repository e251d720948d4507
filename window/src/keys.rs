//! The keyboard.

use eframe::egui::{Context, Key, Modifiers, Vec2, vec2};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wish {
    Open,
    Save,
    Pause,
    Cancel,
    /// The next picture, or the one before (-1).
    Turn(isize),
    Zoom(f64),
    Fit,
    Pixels,
    Pan(Vec2),
    /// A divider's number, and the part of the view it moves by.
    Divide(usize, f32),
    Panel,
    Theme,
    Help,
}

/// How far a key moves the view and dividers, as a part of it.
const STEP: f32 = 0.1;
const FINE: f32 = 0.02;

/// The wishes of this frame. What a text field or a focused button takes is not asked for twice.
pub fn wishes(context: &Context) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let command = Modifiers::COMMAND;
    let busy = context.memory(|memory| memory.focused().is_some());
    let mut take = |modifiers: Modifiers, key: Key, wish: Wish| {
        if context.input_mut(|input| input.consume_key(modifiers, key)) {
            wishes.push(wish);
        }
    };
    take(command, Key::O, Wish::Open);
    take(command, Key::S, Wish::Save);
    take(Modifiers::NONE, Key::Escape, Wish::Cancel);
    take(Modifiers::NONE, Key::PageDown, Wish::Turn(1));
    take(Modifiers::NONE, Key::PageUp, Wish::Turn(-1));
    take(Modifiers::NONE, Key::F1, Wish::Help);
    take(Modifiers::NONE, Key::F9, Wish::Panel);
    take(Modifiers::NONE, Key::F10, Wish::Theme);
    if busy || context.egui_wants_keyboard_input() {
        return wishes;
    }
    take(Modifiers::NONE, Key::Space, Wish::Pause);
    for key in [Key::Plus, Key::Equals] {
        take(Modifiers::NONE, key, Wish::Zoom(1.25));
        take(Modifiers::SHIFT, key, Wish::Zoom(1.25));
    }
    take(Modifiers::NONE, Key::Minus, Wish::Zoom(0.8));
    take(Modifiers::NONE, Key::Num0, Wish::Fit);
    take(Modifiers::NONE, Key::Num1, Wish::Pixels);
    for (key, way) in [
        (Key::ArrowLeft, vec2(-STEP, 0.0)),
        (Key::ArrowRight, vec2(STEP, 0.0)),
        (Key::ArrowUp, vec2(0.0, -STEP)),
        (Key::ArrowDown, vec2(0.0, STEP)),
    ] {
        take(Modifiers::NONE, key, Wish::Pan(way));
    }
    for (key, shifted, way) in
        [(Key::OpenBracket, Key::OpenCurlyBracket, -FINE), (Key::CloseBracket, Key::CloseCurlyBracket, FINE)]
    {
        take(Modifiers::SHIFT, key, Wish::Divide(1, way));
        take(Modifiers::SHIFT, shifted, Wish::Divide(1, way));
        take(Modifiers::NONE, key, Wish::Divide(0, way));
    }
    wishes
}
