//! A configuration from a recipe, changed by a TOML file, changed by single settings such as a command line's.

use std::path::PathBuf;

use super::Recipe;
use crate::degrade::Degradation;
use crate::error::{Error, Reason, Result};
use crate::network::{Architecture, Channels, Padding};
use crate::train::Scales;
use crate::train::config::{Interval, Limit, TrainConfig};

/// Settings that take precedence, such as those of a command line. `None` leaves a setting to the file, and what the file
/// leaves out comes from the recipe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Recipe to start from.
    pub recipe: Option<Recipe>,
    /// Training pictures; empty leaves them to the file.
    pub data: Vec<PathBuf>,
    /// Validation folders; empty leaves them to the file.
    pub val: Vec<PathBuf>,
    /// Folders that are only watched; empty leaves them to the file.
    pub watch: Vec<PathBuf>,
    /// The factors.
    pub scale: Option<Scales>,
    /// Filter sizes.
    pub arch: Option<String>,
    /// Filter counts.
    pub filters: Option<String>,
    /// The network's channels.
    pub channels: Option<Channels>,
    /// Random seed.
    pub seed: Option<u32>,
    /// Sub-images in a step.
    pub batch: Option<usize>,
    /// Width and height of a sub-image.
    pub patch: Option<usize>,
    /// Pixels between sub-images.
    pub stride: Option<usize>,
    /// How pictures lose their resolution.
    pub degradation: Option<Degradation>,
    /// One rate for all layers, or one for each; empty leaves them to the file.
    pub learning_rates: Vec<f64>,
    /// Share of the running mean of the parameters that a step keeps; 0 for no such mean.
    pub average: Option<f64>,
    /// When training ends.
    pub limit: Option<Limit>,
    /// Weight file to start from.
    pub init: Option<PathBuf>,
    /// Padding while training.
    pub train_padding: Option<Padding>,
    /// Padding in use.
    pub padding: Option<Padding>,
    /// Steps between evaluations. Where neither this nor the file says so, and one of them sets a limit, evaluations follow
    /// the limit ([`Interval::Auto`]).
    pub eval_every: Option<u64>,
    /// Steps between checkpoints.
    pub save_every: Option<u64>,
}

/// The configuration of a recipe, changed by `file` (the text of a TOML file, in which anything may be missing; a table in
/// it replaces the recipe's whole table), then by `flags`. By default the network is 9-1-5 64-32 on luminance.
///
/// # Errors
/// [`Error::InvalidArgument`] for unknown or impossible settings, or when no scale is given.
pub fn resolve(file: Option<&str>, flags: &Overrides) -> Result<TrainConfig> {
    let wrong = |e: toml::de::Error| {
        Error::invalid(Reason::new(format!("the configuration: {}", one_line(&e.to_string())), e))
    };
    let file: toml::Table = file.unwrap_or_default().parse().map_err(wrong)?;
    let word = |key: &str| file.get(key).and_then(toml::Value::as_str);
    let name = |flag: &Option<String>, key: &str, default: &str| {
        flag.clone().unwrap_or_else(|| word(key).unwrap_or(default).into())
    };
    let in_file = file.get("scale").cloned().map(toml::Value::try_into).transpose().map_err(wrong)?;
    let Some(scale) = flags.scale.clone().or(in_file) else {
        return Err(Error::invalid("no scale: say for which enlargement to train, such as 3"));
    };
    let channels = flags.channels.map_or_else(|| word("channels").unwrap_or("y").parse(), Ok)?;
    let (arch, filters) = (name(&flags.arch, "arch", "9-1-5"), name(&flags.filters, "filters", "64-32"));
    let architecture = Architecture::parse(&arch, &filters, channels.count())?;
    let recipe = flags.recipe.map_or_else(|| word("recipe").map_or(Ok(Recipe::default()), str::parse), Ok)?;

    let sets = |key: &str| file.contains_key(key);
    let follows = !sets("eval_every") && (flags.limit.is_some() || sets("limit"));
    let mut base = recipe.config(scale.clone(), &architecture, channels);
    if follows {
        base.eval_every = Interval::Auto;
    }
    let mut table = toml::Table::try_from(base).map_err(|e| Error::invalid(Reason::of(e)))?;
    table.extend(file);
    let mut config: TrainConfig = table.try_into().map_err(wrong)?;
    (config.recipe, config.scale, config.channels) = (recipe, scale, channels);
    (config.arch, config.filters) = (architecture.sizes(), architecture.filters());
    apply(&mut config, flags);
    config.check()?;
    Ok(config)
}

/// Changes the configuration of a run that is continued. Only rates, limits, intervals and validation folders may change;
/// other settings in `flags` would invalidate the checkpoint and are ignored.
///
/// # Errors
/// [`Error::InvalidArgument`] for impossible settings.
pub fn override_parts(config: &mut TrainConfig, flags: &Overrides) -> Result<()> {
    let changeable = Overrides {
        val: flags.val.clone(),
        watch: flags.watch.clone(),
        learning_rates: flags.learning_rates.clone(),
        limit: flags.limit,
        eval_every: flags.eval_every,
        save_every: flags.save_every,
        ..Overrides::default()
    };
    apply(config, &changeable);
    config.check()
}

fn apply(config: &mut TrainConfig, flags: &Overrides) {
    fn set<T: Clone>(target: &mut T, flag: &Option<T>) {
        if let Some(value) = flag {
            target.clone_from(value);
        }
    }
    if !flags.data.is_empty() {
        config.data.clone_from(&flags.data);
    }
    if !flags.val.is_empty() {
        config.val.clone_from(&flags.val);
    }
    if !flags.watch.is_empty() {
        config.watch.clone_from(&flags.watch);
    }
    set(&mut config.seed, &flags.seed);
    set(&mut config.batch, &flags.batch);
    set(&mut config.patch, &flags.patch);
    set(&mut config.stride, &flags.stride);
    set(&mut config.degradation, &flags.degradation);
    set(&mut config.train_padding, &flags.train_padding);
    set(&mut config.padding, &flags.padding);
    if flags.init.is_some() {
        config.init.clone_from(&flags.init);
    }
    set(&mut config.average, &flags.average);
    set(&mut config.limit, &flags.limit);
    set(&mut config.eval_every, &flags.eval_every.map(Interval::Steps));
    set(&mut config.save_every, &flags.save_every);
    match flags.learning_rates.as_slice() {
        [] => {}
        [rate] => config.optimizer.learning_rates_mut().fill(*rate),
        rates => *config.optimizer.learning_rates_mut() = rates.to_vec(),
    }
}

fn one_line(text: &str) -> String {
    // The parser quotes the line with a caret under it; position and reason are enough here.
    let told = text.lines().filter(|line| !line.trim_start().starts_with('|') && !line.contains(" | "));
    told.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

impl TrainConfig {
    /// As a TOML document.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a path that is not Unicode.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::invalid(Reason::of(e).within("the configuration as TOML")))
    }

    /// From a whole TOML document, such as a run's `config.toml`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for missing, unknown or impossible settings.
    pub fn from_toml(text: &str) -> Result<Self> {
        let config: Self =
            toml::from_str(text).map_err(|e| Error::invalid(Reason::new(one_line(&e.to_string()), e)))?;
        config.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::config::{Initialization, Schedule};

    fn scales(text: &str) -> Scales {
        text.parse().unwrap()
    }

    fn flags() -> Overrides {
        Overrides { data: vec!["T91".into()], scale: Some(scales("3")), ..Overrides::default() }
    }

    #[test]
    fn the_paper_as_it_is_written() {
        let config = resolve(None, &Overrides { recipe: Some(Recipe::Paper), ..flags() }).unwrap();
        assert_eq!((config.patch, config.target().unwrap(), config.stride), (33, 21, 14));
        assert_eq!(config.optimizer.learning_rates(), [1e-4, 1e-4, 1e-5]);
        assert_eq!(config.initialization, Initialization::Gaussian { deviation: 0.001 });
        assert_eq!(config.steps(), Some(6_250_000));
        let even = resolve(None, &Overrides { scale: Some(scales("4")), ..flags() }).unwrap();
        assert_eq!((even.patch, even.target().unwrap()), (32, 20));
    }

    #[test]
    fn toml_round_trip() {
        for recipe in [Recipe::Paper, Recipe::Fast] {
            for limit in ["10s", "2h", "1d1h30m"] {
                let limit = Some(Limit::Time(limit.parse().unwrap()));
                let config = resolve(None, &Overrides { recipe: Some(recipe), limit, ..flags() }).unwrap();
                let text = config.to_toml().unwrap();
                assert_eq!(TrainConfig::from_toml(&text).unwrap(), config, "{text}");
                // A whole document given back as a file gives itself.
                assert_eq!(resolve(Some(&text), &Overrides::default()).unwrap(), config);
            }
        }
    }

    #[test]
    fn files_change_recipes_and_flags_change_files() {
        let file = "recipe = 'paper'\nbatch = 7\nscale = 2\narch = '9-5-5'\n[schedule]\nkind = 'cosine'\nlast = 0.5\n";
        let config = resolve(Some(file), &Overrides { scale: None, ..flags() }).unwrap();
        assert_eq!(
            (config.batch, config.scale, config.arch.as_str(), config.patch),
            (7, scales("2"), "9-5-5", 32)
        );
        assert_eq!(config.schedule, Schedule::Cosine { warmup: 0, last: 0.5 });
        let flags = Overrides { batch: Some(9), learning_rates: vec![0.5], ..flags() };
        let config = resolve(Some(file), &flags).unwrap();
        assert_eq!((config.batch, config.scale, config.patch), (9, scales("3"), 33));
        assert_eq!(config.optimizer.learning_rates(), [0.5; 3]);
    }

    #[test]
    fn evaluations_follow_a_limit_that_is_given() {
        let every = |file: &str, eval_every, limit| {
            let flags = Overrides { eval_every, limit, ..flags() };
            resolve(Some(file), &flags).unwrap().eval_every
        };
        let limit = Some(Limit::Steps(1000));
        assert_eq!(every("", None, None), Interval::Steps(500));
        assert_eq!(every("", None, limit), Interval::Auto);
        assert_eq!(every("[limit]\ntime = '1m'", None, None), Interval::Auto);
        assert_eq!(every("eval_every = 7", None, limit), Interval::Steps(7));
        assert_eq!(every("eval_every = 'auto'", None, None), Interval::Auto);
        assert_eq!(every("eval_every = 7", Some(9), limit), Interval::Steps(9));
    }

    #[test]
    fn says_what_is_wrong() {
        for (file, words) in [
            ("batches = 3", "unknown field `batches`"),
            ("batch = 'many'", "invalid type"),
            ("batch = 0", "batch 0"),
            ("eval_every = 'often'", "'often' is neither a number"),
            ("patch = 12", "patch 12: 9-1-5 without padding leaves nothing of it; 13 or more"),
            ("arch = '9-1'", "filter counts"),
            ("recipe = 'slow'", "unknown recipe 'slow'"),
            ("[limit]\ntime = 'soon'", "not a time"),
            ("[optimizer]\nkind = 'sgd'\nmomentum = 0.9\nlearning_rates = [1e-4]", "has 3 layers"),
            ("[optimizer]\nkind = 'sgd'\nmomentum = 1.9\nlearning_rates = [1, 1, 1]", "momentum"),
            ("degradation = 'gaussian:-1'", "gaussian"),
            ("degradation = 'jpeg:30'", "'bicubic,jpeg:30'"),
            ("scale = 17", "whole number from 1 to 16"),
            ("scale = []", "whole number from 1 to 16"),
            ("[augmentation]\nturns = true\nscales = [2.5]", "0.1..2"),
            ("average = 1.0", "average 1: 0 or more, below 1"),
            ("watch = ['Set5']", "watch: nothing to choose"),
            ("x = = 1", "the configuration"),
        ] {
            let error = resolve(Some(file), &flags()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{file}: {error}");
        }
        assert!(resolve(None, &Overrides::default()).unwrap_err().to_string().contains("no scale"));
    }
}
