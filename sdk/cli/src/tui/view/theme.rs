//! How things look: the sixteen colours of any terminal, or none.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// With colours, or with none.
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn colour(&self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// The bar on top.
    pub fn bar(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What is chosen.
    pub fn chosen(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What matters less.
    pub fn dim(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Headings and names.
    pub fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What this account says.
    pub fn mine(&self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// What others say.
    pub fn other(&self) -> Style {
        self.colour(Color::Green).add_modifier(Modifier::BOLD)
    }

    /// As it should be.
    pub fn good(&self) -> Style {
        self.colour(Color::Green)
    }

    /// To be known.
    pub fn note(&self) -> Style {
        self.colour(Color::Yellow)
    }

    /// To be looked after.
    pub fn bad(&self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// The border of what has the keys, or has not.
    pub fn border(&self, focused: bool) -> Style {
        if focused { self.colour(Color::Cyan).add_modifier(Modifier::BOLD) } else { self.dim() }
    }

    /// The security of a group: a word and how it looks.
    pub fn security(&self, weakest_link: &str) -> (&'static str, Style) {
        match weakest_link {
            "transport" => ("ok", self.good()),
            "classical-signatures" => ("note", self.note()),
            _ => ("BAD", self.bad()),
        }
    }
}
