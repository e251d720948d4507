//! Writes JPEG files whose blocks are flat: enough to order their components in any scans.

/// A component: how often it is sampled across and down, and the level of each block.
pub struct Component {
    pub sampling: (usize, usize),
    pub level: fn(usize, usize) -> u8,
}

/// A JPEG file of three components, brightness first. `scans` lists the components of each scan.
pub fn jpeg(
    size: (usize, usize),
    components: &[Component; 3],
    scans: &[&[usize]],
    progressive: bool,
) -> Vec<u8> {
    let (width, height) = size;
    fn segment(file: &mut Vec<u8>, marker: u8, data: &[u8]) {
        file.extend([0xff, marker]);
        file.extend((data.len() as u16 + 2).to_be_bytes());
        file.extend(data);
    }
    let mut file = vec![0xff, 0xd8];
    // All quantizers are 8: the first coefficient of a flat block is its level.
    segment(&mut file, 0xdb, &[[0].as_slice(), &[8; 64]].concat());
    let [h1, h0] = (height as u16).to_be_bytes();
    let [w1, w0] = (width as u16).to_be_bytes();
    let mut frame = vec![8, h1, h0, w1, w0, 3];
    for (number, component) in components.iter().enumerate() {
        let (across, down) = component.sampling;
        frame.extend([number as u8 + 1, (across << 4 | down) as u8, 0]);
    }
    segment(&mut file, if progressive { 0xc2 } else { 0xc0 }, &frame);
    // Twelve sizes of differences, each a code of 4 bits; and the end of a block as a code of one bit.
    segment(
        &mut file,
        0xc4,
        &[[0, 0, 0, 0, 12].as_slice(), &[0; 12], &(0..12).collect::<Vec<u8>>()].concat(),
    );
    segment(&mut file, 0xc4, &[[0x10, 1].as_slice(), &[0; 15], &[0]].concat());
    let most = components.iter().fold((1, 1), |most, c| (most.0.max(c.sampling.0), most.1.max(c.sampling.1)));
    for scan in scans {
        let mut header = vec![scan.len() as u8];
        scan.iter().for_each(|&component| header.extend([component as u8 + 1, 0]));
        header.extend([0, if progressive { 0 } else { 63 }, 0]);
        segment(&mut file, 0xda, &header);
        let mut bits = Bits::default();
        let mut last = [0; 3];
        let mut block = |component: usize, x: usize, y: usize| {
            let level = i32::from((components[component].level)(x, y)) - 128;
            bits.difference(level - last[component]);
            last[component] = level;
            if !progressive {
                bits.push(0, 1);
            }
        };
        let units = |length: usize, unit: usize| length.div_ceil(unit);
        if let [component] = scan {
            // A scan of one component has as many blocks as this component needs.
            let (across, down) = components[*component].sampling;
            let columns = units(units(width * across, most.0), 8);
            for y in 0..units(units(height * down, most.1), 8) {
                (0..columns).for_each(|x| block(*component, x, y));
            }
        } else {
            for y in 0..units(height, 8 * most.1) {
                for x in 0..units(width, 8 * most.0) {
                    for &component in *scan {
                        let (across, down) = components[component].sampling;
                        for dy in 0..down {
                            (0..across).for_each(|dx| block(component, x * across + dx, y * down + dy));
                        }
                    }
                }
            }
        }
        file.extend(bits.finish());
    }
    file.extend([0xff, 0xd9]);
    file
}

/// Bits from the highest of each byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.pending = self.pending << 1 | (value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.pending as u8);
                if self.pending == 0xff {
                    self.bytes.push(0);
                }
                (self.pending, self.count) = (0, 0);
            }
        }
    }

    /// The size of a difference as a code, and the difference in as many bits.
    fn difference(&mut self, value: i32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        self.push(size, 4);
        let bits = if value < 0 { value - 1 } else { value };
        self.push(bits as u32, size);
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count > 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}
