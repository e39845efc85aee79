//! What plots are drawn with: a white sheet, and a few shapes in pixels.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE,
};

/// The colours: text and lines in greys, and data in those of Okabe and Ito, which the colour-blind
/// can tell apart.
pub(super) mod colour {
    use super::RGBColor;

    pub(crate) const TEXT: RGBColor = RGBColor(0x22, 0x22, 0x22);
    pub(crate) const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
    pub(crate) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
    pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
    pub(crate) const SKY: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
    pub(crate) const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
    pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
    pub(crate) const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
    pub(crate) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
}

/// A point, in pixels from the upper left corner.
pub(super) type Point = (i32, i32);

/// Which side of a text stands at its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    size: f64,
    colour: RGBColor,
    bold: bool,
}

impl Look {
    pub(super) const TITLE: Self = Self { size: 20.0, colour: colour::TEXT, bold: true };
    pub(super) const SUBTITLE: Self = Self { size: 13.0, colour: colour::FAINT, bold: false };
    pub(super) const HEADING: Self = Self { size: 14.0, colour: colour::TEXT, bold: true };
    pub(super) const LABEL: Self = Self { size: 13.0, colour: colour::TEXT, bold: false };
    pub(super) const SMALL: Self = Self { size: 12.0, colour: colour::FAINT, bold: false };
    pub(super) const FIGURE: Self = Self { size: 12.0, colour: colour::TEXT, bold: false };

    pub(super) const fn coloured(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// About how wide a text is. Browsers have different fonts, and this is for the wider ones.
pub(super) fn width(text: &str, look: Look) -> i32 {
    (text.chars().count() as f64 * look.size * 0.58).ceil() as i32
}

/// A sheet to draw on.
pub(super) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

/// Why drawing cannot fail.
const INFALLIBLE: &str = "a string takes every shape";

/// The pixels from the edge to the title and to what is drawn.
pub(super) const MARGIN: i32 = 20;

/// The pixels that title and subtitles take.
pub(super) const HEADER: i32 = 94;

impl Canvas<'_> {
    /// A sheet of this size with title and subtitles, and what `draw` draws on it.
    pub(super) fn svg(
        size: Point,
        title: &str,
        subtitles: [&str; 2],
        draw: impl FnOnce(&Canvas<'_>),
    ) -> String {
        let mut svg = String::new();
        {
            let size = (size.0.unsigned_abs(), size.1.unsigned_abs());
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            area.fill(&WHITE).expect(INFALLIBLE);
            let canvas = Canvas(area);
            canvas.text((MARGIN, 28), title, Look::TITLE, Side::Left);
            canvas.text((MARGIN, 52), subtitles[0], Look::SUBTITLE, Side::Left);
            canvas.text((MARGIN, 70), subtitles[1], Look::SUBTITLE, Side::Left);
            draw(&canvas);
            canvas.0.present().expect(INFALLIBLE);
        }
        svg
    }

    /// A text, at half its height.
    pub(super) fn text(&self, at: Point, text: &str, look: Look, side: Side) {
        let style = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        // plotters divides the size that it is given by this.
        let size = look.size * 1.24;
        let family = FontFamily::Name("Arial, Helvetica, sans-serif");
        let font = (family, size, style).into_font();
        let horizontal = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        let style =
            TextStyle::from(font).color(&look.colour).pos(Pos::new(horizontal, VPos::Center));
        self.0.draw(&Text::new(text.to_owned(), at, style)).expect(INFALLIBLE);
    }

    /// A text that begins here and covers the lines of the grid behind it.
    pub(super) fn label(&self, (x, y): Point, text: &str, look: Look) {
        let end = x + width(text, look);
        self.bar((x - 2, y - 7), (end, y + 7), WHITE);
        self.text((x, y), text, look, Side::Left);
    }

    /// A filled rectangle.
    pub(super) fn bar(&self, from: Point, to: Point, colour: RGBColor) {
        self.0.draw(&Rectangle::new([from, to], colour.filled())).expect(INFALLIBLE);
    }

    /// A line through these points.
    pub(super) fn line(&self, points: &[Point], colour: RGBColor, width: u32) {
        let style = ShapeStyle::from(colour).stroke_width(width);
        self.0.draw(&PathElement::new(points, style)).expect(INFALLIBLE);
    }

    /// The same, dashed.
    pub(super) fn dashed(&self, points: &[Point], colour: RGBColor, width: u32) {
        const DASH: f64 = 7.0;
        const GAP: f64 = 5.0;
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let at = |distance: f64| {
                let part = distance.min(length) / length;
                let between = |from: f64, to: f64| (from + part * (to - from)).round() as i32;
                (between(from.0, to.0), between(from.1, to.1))
            };
            let mut start = 0.0;
            while start < length {
                self.line(&[at(start), at(start + DASH)], colour, width);
                start += DASH + GAP;
            }
        }
    }

    /// A filled circle.
    pub(super) fn dot(&self, at: Point, colour: RGBColor) {
        self.0.draw(&Circle::new(at, 4, colour.filled())).expect(INFALLIBLE);
    }
}
