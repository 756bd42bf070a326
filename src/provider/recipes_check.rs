//! `[[recipes]]`: every name resolves, every method is one, and no word stands there without effect.

use std::collections::BTreeSet;

use super::Provider;
use super::file::Finding;
use super::nearest::nearest;
use super::schema::{Parameter, ParameterKind, Recipe, Step};
use super::template;

/// The methods that a step may have.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// The secrets of a profile that an answer can bring.
const SECRETS: [&str; 2] = ["client_secret", "webhook_secret"];

/// What is wrong, and where below `recipes`.
struct Wrong {
    path: Vec<String>,
    says: String,
    nearest: Option<String>,
}

impl Wrong {
    fn at(path: &[&str], says: impl Into<String>) -> Option<Self> {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Some(Self { path, says: says.into(), nearest: None })
    }

    fn below(mut self, path: &[&str]) -> Self {
        self.path.splice(0..0, path.iter().map(|key| (*key).to_owned()));
        self
    }
}

/// The first rule that a recipe breaks.
pub(super) fn recipes(provider: &Provider) -> Option<Finding> {
    let recipes = &provider.recipes;
    recipes.iter().enumerate().find_map(|(place, recipe)| {
        let twice = recipes[..place].iter().any(|earlier| earlier.name == recipe.name);
        let wrong = match twice {
            true => Wrong::at(&["name"], format!("the recipe `{}` is there twice", recipe.name)),
            false => head(provider, recipe)
                .or_else(|| parameters(provider, recipe))
                .or_else(|| steps(provider, recipe)),
        }?;
        let wrong = wrong.below(&["recipes", &place.to_string()]);
        let path: Vec<&str> = wrong.path.iter().map(String::as_str).collect();
        let mut finding = Finding::at(&path, format!("recipe `{}`: {}", recipe.name, wrong.says));
        finding.nearest = wrong.nearest;
        Some(finding)
    })
}

/// Whether a name can be typed before `=` and written in braces.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn head(provider: &Provider, recipe: &Recipe) -> Option<Wrong> {
    if !is_name(&recipe.name) {
        return Wrong::at(&["name"], "a name has lower-case letters, digits and `_`");
    }
    if recipe.does.is_empty() {
        return Wrong::at(&["does"], "`does` says in one line what it does");
    }
    if recipe.steps.is_empty() {
        return Wrong::at(&["steps"], "a recipe has at least one step");
    }
    let known = || provider.scope.iter().map(|scope| scope.name.as_str());
    let unknown = recipe
        .needs
        .iter()
        .find(|needed| known().next().is_some() && known().all(|it| it != **needed))?;
    let mut wrong = Wrong::at(&["needs"], format!("no scope is named `{unknown}`"))?;
    wrong.nearest = nearest(unknown, known()).map(str::to_owned);
    Some(wrong)
}

fn parameters(provider: &Provider, recipe: &Recipe) -> Option<Wrong> {
    recipe.parameters.iter().enumerate().find_map(|(place, parameter)| {
        let twice = recipe.parameters[..place].iter().any(|it| it.name == parameter.name);
        let wrong = match twice {
            true => Wrong::at(&["name"], format!("`{}` is there twice", parameter.name)),
            false => one_parameter(provider, recipe, parameter),
        };
        Some(wrong?.below(&["parameters", &place.to_string()]))
    })
}

fn one_parameter(provider: &Provider, recipe: &Recipe, parameter: &Parameter) -> Option<Wrong> {
    let name = parameter.name.as_str();
    let taken = provider.settings.contains_key(name)
        || provider.context.iter().any(|context| context.name == name);
    let is_number = |text: &String| text.parse::<serde_json::Number>().is_ok();
    if !is_name(name) {
        return Wrong::at(&["name"], "a name has lower-case letters, digits and `_`");
    }
    if taken {
        return Wrong::at(&["name"], format!("`{name}` is a setting or a context already"));
    }
    if parameter.required && parameter.default.is_some() {
        return Wrong::at(&["default"], "`default` has no effect on what is required");
    }
    if parameter.kind == ParameterKind::Number {
        if parameter.default.as_ref().is_some_and(|text| !is_number(text)) {
            return Wrong::at(&["default"], "the default is no number");
        }
        if !parameter.example.is_empty() && !is_number(&parameter.example) {
            return Wrong::at(&["example"], "the example is no number");
        }
    }
    match recipe.steps.iter().any(|step| names(step, name)) {
        true => None,
        false => Wrong::at(&["name"], format!("no step names `{name}`")),
    }
}

/// Whether a step uses a value: in its path, its query or its body.
fn names(step: &Step, name: &str) -> bool {
    let ends = |character: char| !character.is_alphanumeric() && character != '_';
    template::names(&step.path).contains(&name)
        || step.query.values().any(|it| template::names(it).contains(&name))
        || step.body.as_ref().is_some_and(|body| body.split(ends).any(|word| word == name))
}

fn steps(provider: &Provider, recipe: &Recipe) -> Option<Wrong> {
    let mut known: BTreeSet<&str> = ["client_id"].into();
    known.extend(provider.settings.keys().map(String::as_str));
    known.extend(provider.context.iter().map(|context| context.name.as_str()));
    known.extend(recipe.parameters.iter().map(|parameter| parameter.name.as_str()));
    for (place, step) in recipe.steps.iter().enumerate() {
        let later = &recipe.steps[place + 1..];
        let wrong = request(recipe, step, &known)
            .or_else(|| takes(step, later, &known))
            .or_else(|| keeps(step, later));
        if let Some(wrong) = wrong {
            return Some(wrong.below(&["steps", &place.to_string()]));
        }
        known.extend(step.take.keys().map(String::as_str));
    }
    None
}

fn request(recipe: &Recipe, step: &Step, known: &BTreeSet<&str>) -> Option<Wrong> {
    if !METHODS.contains(&step.method.as_str()) {
        let mut wrong = Wrong::at(&["method"], format!("`{}` is no method", step.method))?;
        wrong.nearest = nearest(&step.method, METHODS).map(str::to_owned);
        return Some(wrong);
    }
    if !step.path.starts_with('/') {
        return Wrong::at(&["path"], "a path begins with `/`");
    }
    if step.body.is_some() && matches!(step.method.as_str(), "GET" | "HEAD") {
        return Wrong::at(&["body"], format!("{} carries no body", step.method));
    }
    if let Some(body) = &step.body
        && let Some(says) = not_an_expression(body)
    {
        return Wrong::at(&["body"], says);
    }
    let in_path = template::names(&step.path);
    let in_query = step.query.values().flat_map(|value| template::names(value));
    let keys = std::iter::repeat_n("path", in_path.len()).chain(std::iter::repeat("query"));
    for (key, name) in keys.zip(in_path.iter().copied().chain(in_query)) {
        if !known.contains(name) {
            let mut wrong = Wrong::at(&[key], format!("`{{{name}}}` is not known here"))?;
            wrong.nearest = nearest(name, known.iter().copied()).map(str::to_owned);
            return Some(wrong);
        }
    }
    let may_be_absent = |name: &&&str| {
        let parameter = recipe.parameters.iter().find(|it| it.name == ***name);
        parameter.is_some_and(|it| !it.required && it.default.is_none())
    };
    in_path.iter().find(may_be_absent).and_then(|name| {
        Wrong::at(&["path"], format!("`{name}` may be left out, so no path can name it"))
    })
}

fn takes(step: &Step, later: &[Step], known: &BTreeSet<&str>) -> Option<Wrong> {
    step.take.iter().find_map(|(name, expression)| {
        let at = ["take", name.as_str()];
        if !is_name(name) {
            return Wrong::at(&at, "a name has lower-case letters, digits and `_`");
        }
        if known.contains(name.as_str()) {
            return Wrong::at(&at, format!("`{name}` has a value already"));
        }
        if !later.iter().any(|step| names(step, name)) {
            return Wrong::at(&at, format!("no later step names `{name}`"));
        }
        Wrong::at(&at, not_an_expression(expression)?)
    })
}

fn keeps(step: &Step, later: &[Step]) -> Option<Wrong> {
    step.keep.iter().find_map(|(name, expression)| {
        let at = ["keep", name.as_str()];
        if !SECRETS.contains(&name.as_str()) {
            let mut wrong = Wrong::at(&at, format!("`{name}` is no secret of a profile"))?;
            wrong.nearest = nearest(name, SECRETS).map(str::to_owned);
            return Some(wrong);
        }
        if !later.is_empty() {
            return Wrong::at(&at, "only the last step can keep a secret");
        }
        Wrong::at(&at, not_an_expression(expression)?)
    })
}

/// Why an expression cannot be evaluated.
fn not_an_expression(_: &str) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::file::{FileError, read};

    fn with(recipe: &str) -> Result<(), FileError> {
        let head = include_str!("../sandbox/vendors/standard_provider.toml");
        let context = "[[context]]\nname = 'account'\npath = 'a'\n";
        read("p.toml", &format!("{head}\n{context}{recipe}")).map(|_| ()).map_err(|mut error| {
            let before = head.lines().count() + 4;
            error.line = error.line.map(|line| line - before);
            error
        })
    }

    const HEAD: &str = "[[recipes]]\nname = 'r'\ndoes = 'd'\n";
    const STEP: &str = "[[recipes.steps]]\nmethod = 'GET'\npath = '/x'\n";

    #[test]
    fn a_recipe_may_use_settings_contexts_parameters_and_what_was_taken() {
        let recipe = format!(
            "{HEAD}parameters = [{{ name = 'n', required = true }}, {{ name = 'page', default = '1', kind = 'number' }}, {{ name = 'app' }}]\n\
             [[recipes.steps]]\nmethod = 'GET'\npath = '/a/{{account}}/{{n}}'\nquery = {{ page = '{{page}}', app = '{{app}}' }}\ntake = {{ id = '.id' }}\n\
             [[recipes.steps]]\nmethod = 'POST'\npath = '/b/{{id}}'\nbody = '{{n, id}}'\nkeep = {{ webhook_secret = '.s' }}\n"
        );
        with(&recipe).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn what_does_not_resolve_or_has_no_effect_is_refused_with_its_line() {
        let cases = [
            (format!("[[recipes]]\nname = 'R'\ndoes = 'd'\n{STEP}"), 2, "a name has"),
            (format!("[[recipes]]\nname = 'r'\ndoes = ''\n{STEP}"), 3, "`does` says"),
            ("[[recipes]]\nname = 'r'\ndoes = 'd'\nsteps = []\n".into(), 4, "at least one step"),
            (format!("{HEAD}{STEP}{HEAD}{STEP}"), 8, "is there twice"),
            (format!("{HEAD}needs = ['reed']\n{STEP}"), 4, "no scope is named `reed`"),
            (format!("{HEAD}parameters = [{{ name = 'n' }}]\n{STEP}"), 4, "no step names `n`"),
            (
                format!("{HEAD}parameters = [{{ name = 'account' }}]\n{STEP}"),
                4,
                "a setting or a context already",
            ),
            (
                format!(
                    "{HEAD}parameters = [{{ name = 'n', required = true, default = '1' }}]\n{STEP}"
                ),
                4,
                "`default` has no effect",
            ),
            (
                format!(
                    "{HEAD}parameters = [{{ name = 'n', kind = 'number', default = 'x' }}]\n{STEP}"
                ),
                4,
                "the default is no number",
            ),
            (
                format!("{HEAD}[[recipes.steps]]\nmethod = 'PSOT'\npath = '/x'\n"),
                5,
                "`PSOT` is no method",
            ),
            (
                format!("{HEAD}[[recipes.steps]]\nmethod = 'GET'\npath = 'x'\n"),
                6,
                "a path begins with `/`",
            ),
            (format!("{HEAD}{STEP}body = '.'\n"), 7, "GET carries no body"),
            (
                format!("{HEAD}[[recipes.steps]]\nmethod = 'GET'\npath = '/x/{{acount}}'\n"),
                6,
                "`{acount}` is not known here",
            ),
            (format!("{HEAD}{STEP}query = {{ a = '{{b}}' }}\n"), 7, "`{b}` is not known here"),
            (
                format!(
                    "{HEAD}parameters = [{{ name = 'n' }}]\n[[recipes.steps]]\nmethod = 'GET'\npath = '/x/{{n}}'\n"
                ),
                7,
                "may be left out",
            ),
            (format!("{HEAD}{STEP}take = {{ id = '.id' }}\n"), 7, "no later step names `id`"),
            (format!("{HEAD}{STEP}take = {{ account = '.id' }}\n"), 7, "has a value already"),
            (format!("{HEAD}{STEP}keep = {{ token = '.t' }}\n"), 7, "no secret of a profile"),
            (
                format!("{HEAD}{STEP}keep = {{ webhook_secret = '.t' }}\n{STEP}"),
                7,
                "only the last step",
            ),
            (format!("{HEAD}{STEP}tak = {{}}\n"), 7, "unknown key `tak`"),
        ];
        for (recipe, line, says) in cases {
            let error = with(&recipe).expect_err(&recipe);
            assert!(error.message.contains(says), "{recipe}: {error}");
            assert_eq!(error.line, Some(line), "{recipe}: {error}");
        }
        let slip = format!("{HEAD}[[recipes.steps]]\nmethod = 'GET'\npath = '/x/{{acount}}'\n");
        assert_eq!(with(&slip).unwrap_err().nearest.as_deref(), Some("account"));
    }
}
