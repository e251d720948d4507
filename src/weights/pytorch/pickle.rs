//! The machine that pickles are programs for, as far as PyTorch uses it. It builds [`Value`]s and calls nothing.

use std::collections::BTreeMap;

use super::value::{Heap, Id, Value};
use crate::error::{Error, Result};

/// Most values on the stack.
const DEEPEST: usize = 1 << 20;

/// Runs the pickle that `bytes` begin with; what it builds goes to `heap`. Returns the last value and the bytes after the pickle.
///
/// # Errors
/// [`Error::InvalidArgument`] for a pickle that is damaged, or that PyTorch would not write for tensors and dictionaries.
pub fn run<'a>(bytes: &'a [u8], heap: &mut Heap) -> Result<(Id, &'a [u8])> {
    let mut machine =
        Machine { rest: bytes, heap, stack: Vec::new(), marks: Vec::new(), memo: BTreeMap::new() };
    while let Some(code) = machine.byte() {
        match machine.step(code?)? {
            Some(result) => return Ok((result, machine.rest)),
            None if machine.stack.len() > DEEPEST => return Err(damaged("its stack is too deep")),
            None => {}
        }
    }
    Err(damaged("it is cut short"))
}

fn damaged(what: &str) -> Error {
    Error::invalid(format!("damaged pickle: {what}"))
}

struct Machine<'a, 'b> {
    rest: &'a [u8],
    heap: &'b mut Heap,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<usize, Id>,
}

impl<'a> Machine<'a, '_> {
    fn byte(&mut self) -> Option<Result<u8>> {
        (!self.rest.is_empty()).then(|| self.take(1).map(|bytes| bytes[0]))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| damaged("it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A little-endian number of `count` bytes, at most 8.
    fn number(&mut self, count: usize) -> Result<usize> {
        let bytes = self.take(count)?;
        let value = bytes.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        usize::try_from(value).map_err(|_| damaged("a number is too large"))
    }

    /// A signed little-endian number of `count` bytes.
    fn signed(&mut self, count: usize) -> Result<Value> {
        let bytes = self.take(count)?;
        if count > 16 {
            return Err(damaged("a number is too large"));
        }
        let filler = if bytes.last().is_some_and(|&high| high >= 0x80) { 0xff } else { 0 };
        let mut all = [filler; 16];
        all[..count].copy_from_slice(bytes);
        Ok(Value::Int(i128::from_le_bytes(all)))
    }

    /// Text whose length is a number of `count` bytes.
    fn text(&mut self, count: usize) -> Result<Value> {
        let length = self.number(count)?;
        Ok(Value::Text(String::from_utf8_lossy(self.take(length)?).into_owned()))
    }

    fn line(&mut self) -> Result<String> {
        let end = self.rest.iter().position(|&b| b == b'\n').ok_or_else(|| damaged("it is cut short"))?;
        let line = self.take(end + 1)?;
        Ok(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    fn push(&mut self, value: Value) -> Result<()> {
        let id = self.heap.add(value)?;
        self.stack.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(damaged("its stack is empty"));
        }
        self.stack.pop().ok_or_else(|| damaged("its stack is empty"))
    }

    /// The topmost `count` values, in the order that they were pushed.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>> {
        let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        values.reverse();
        Ok(values)
    }

    /// The values since the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| damaged("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<Id> {
        let id = self.pop()?;
        self.stack.push(id);
        Ok(id)
    }

    fn remember(&mut self, key: usize) -> Result<()> {
        let id = self.top()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: usize) -> Result<()> {
        let id = *self.memo.get(&key).ok_or_else(|| damaged("it recalls what it has not kept"))?;
        self.stack.push(id);
        Ok(())
    }

    /// Puts values into the list on top of the stack.
    fn append(&mut self, values: Vec<Id>) -> Result<()> {
        let id = self.top()?;
        match self.heap.get_mut(id) {
            Value::List(list) => list.extend(values),
            _ => return Err(damaged("it appends to what is no list")),
        }
        Ok(())
    }

    /// Puts keys and values, in turns, into the dictionary on top of the stack.
    fn set(&mut self, items: &[Id]) -> Result<()> {
        let id = self.top()?;
        let (pairs, odd) = items.as_chunks::<2>();
        match self.heap.get_mut(id) {
            Value::Dict(dict) if odd.is_empty() => {
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)))
            }
            _ => return Err(damaged("it sets items of what is no dictionary")),
        }
        Ok(())
    }

    /// Carries out one instruction. Returns the result at the end of the pickle.
    fn step(&mut self, code: u8) -> Result<Option<Id>> {
        match code {
            b'.' => return self.pop().map(Some),
            // The protocol's version, and the length of what follows.
            0x80 => {
                self.take(1)?;
            }
            0x95 => {
                self.take(8)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.pop_mark()?;
            }
            b'2' => {
                let id = self.top()?;
                self.stack.push(id);
            }
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' | b'M' => {
                let number = self.number(if code == b'K' { 1 } else { 2 })?;
                self.push(Value::Int(number as i128))?;
            }
            b'J' => {
                let number = self.signed(4)?;
                self.push(number)?;
            }
            0x8a => {
                let length = self.number(1)?;
                let number = self.signed(length)?;
                self.push(number)?;
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Float)?;
            }
            b'X' | b'T' | b'U' | 0x8c | 0x8d => {
                let text = self.text(match code {
                    b'X' | b'T' => 4,
                    0x8d => 8,
                    _ => 1,
                })?;
                self.push(text)?;
            }
            b'B' | b'C' => {
                let length = self.number(if code == b'B' { 4 } else { 1 })?;
                self.take(length)?;
                self.push(Value::Bytes)?;
            }
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b']' => self.push(Value::List(Vec::new()))?,
            b')' => self.push(Value::Tuple(Vec::new()))?,
            b't' | 0x85..=0x87 => {
                let parts =
                    if code == b't' { self.pop_mark()? } else { self.pop_many(usize::from(code - 0x84))? };
                self.push(Value::Tuple(parts))?;
            }
            b'l' => {
                let parts = self.pop_mark()?;
                self.push(Value::List(parts))?;
            }
            b'd' => {
                let items = self.pop_mark()?;
                self.push(Value::Dict(Vec::new()))?;
                self.set(&items)?;
            }
            b'q' | b'r' => {
                let key = self.number(if code == b'q' { 1 } else { 4 })?;
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len())?,
            b'h' | b'j' => {
                let key = self.number(if code == b'h' { 1 } else { 4 })?;
                self.recall(key)?;
            }
            b'a' | b'e' => {
                let values = if code == b'a' { self.pop_many(1)? } else { self.pop_mark()? };
                self.append(values)?;
            }
            b's' | b'u' => {
                let items = if code == b's' { self.pop_many(2)? } else { self.pop_mark()? };
                self.set(&items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                let id = self.heap.global(&module, &name)?;
                self.stack.push(id);
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let name =
                    |id| self.heap.text(id).map(str::to_owned).ok_or_else(|| damaged("a name is no text"));
                let (module, name) = (name(names[0])?, name(names[1])?);
                let id = self.heap.global(&module, &name)?;
                self.stack.push(id);
            }
            b'Q' => {
                let id = self.pop()?;
                let id = self.heap.storage(id)?;
                self.stack.push(id);
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let id = self.heap.call(function, arguments)?;
                self.stack.push(id);
            }
            // What an object has besides its items: a state dict's version.
            b'b' => {
                let (_, object) = (self.pop()?, self.top()?);
                if !matches!(self.heap.get(object), Value::Dict(_)) {
                    return Err(damaged("it gives attributes to what is no dictionary"));
                }
            }
            _ => {
                return Err(Error::invalid(format!(
                    "the pickle has the instruction {code:#04x}, which PyTorch does not use for tensors and dictionaries"
                )));
            }
        }
        Ok(None)
    }
}
