//! Which actions do all allow rules together let pass, and by which clause does another one fall?
//!
//! Rules are split into clauses at their top-level `&&`, and every clause of an action has a place.
//! Comparisons with constants are looked up in an [`Index`]; of all other clauses, equal ones of one
//! purpose are kept once, and so are the conditions inside them (atoms), each evaluated once. What
//! remains is one bit per place, and the reason is the first bit of an action that is set.

use super::{
    Clause, Facts, Flip, Reads, Rule, Truth, cost,
    expression::Expression,
    flips,
    index::{Compared, Index},
};
use crate::strategy::{ActionIndex, PurposeIndex};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range};

/// Which question an allow rule answers, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// May we.
    Eligibility,
    /// Does it make sense now.
    Applicability,
    /// Is it good for this customer.
    Suitability,
}

/// A rule that has to be true for an action to pass.
#[derive(Debug, Clone)]
pub struct AllowRule {
    /// Of which action.
    pub action: ActionIndex,
    /// Which question it answers.
    pub layer: Layer,
    /// For which purpose it reads.
    pub purpose: PurposeIndex,
    /// The rule.
    pub rule: Rule,
}

/// Position of a clause in its rule book.
pub type ClauseIndex = u32;

/// All allow rules of all actions.
#[derive(Debug)]
pub struct RuleBook {
    clauses: Vec<Clause>,
    /// The clauses of every action, action by action, in the order of the layers and of the rule.
    places: Vec<(Layer, ClauseIndex)>,
    /// Per action: where its places begin; then where the last one's end.
    starts: Vec<usize>,
    index: Index,
    /// Clauses that are more than a comparison: how each follows from the atoms, and its places.
    formulas: Vec<(Formula, Vec<u32>)>,
    atoms: Vec<Atom>,
}

#[derive(Debug)]
struct Atom {
    purpose: PurposeIndex,
    condition: Expression,
}

#[derive(Debug)]
enum Formula {
    Atom(usize),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

/// Why an action does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// At which question.
    pub layer: Layer,
    /// By which clause.
    pub clause: ClauseIndex,
    /// `False` or `Unknown`.
    pub truth: Truth,
}

/// The result of all allow rules for one customer and request.
#[derive(Debug)]
pub struct Evaluation<'b> {
    book: &'b RuleBook,
    /// Places whose clause is false.
    failed: Bits,
    /// Places whose clause is false or not known.
    not_true: Bits,
}

impl RuleBook {
    /// Compiles the rules of a catalogue of `actions` actions. An action without rules passes.
    ///
    /// # Panics
    /// When a rule belongs to an action outside the catalogue.
    pub fn compile(mut rules: Vec<AllowRule>, actions: usize) -> Self {
        rules.sort_by_key(|rule| (rule.action, rule.layer));
        let mut compiler = Compiler::default();
        let mut needs: Vec<Vec<(Layer, ClauseIndex)>> = vec![Vec::new(); actions];
        for rule in rules {
            let needed = &mut needs[usize::from(rule.action)];
            for clause in rule.rule.split() {
                let clause = compiler.clause(rule.purpose, clause);
                if !needed.iter().any(|(_, known)| *known == clause) {
                    needed.push((rule.layer, clause));
                }
            }
        }
        compiler.book(needs)
    }

    /// Evaluates all rules once; `facts` shows what is permitted for a purpose.
    pub fn evaluate<'f>(&self, facts: &dyn Fn(PurposeIndex) -> &'f dyn Facts) -> Evaluation<'_> {
        let mut failed = Bits::zeros(self.places.len());
        let mut unknown = Bits::zeros(self.places.len());
        self.index.mark(facts, &mut failed, &mut unknown);
        let truths: Vec<Truth> =
            self.atoms.iter().map(|atom| Truth::of(atom.condition.truth(facts(atom.purpose)))).collect();
        for (formula, places) in &self.formulas {
            match formula.truth(&truths) {
                Truth::True => {}
                Truth::Unknown => unknown.set_all(places),
                Truth::False => failed.set_all(places),
            }
        }
        unknown.add(&failed);
        Evaluation { book: self, failed, not_true: unknown }
    }

    /// Most steps that [`RuleBook::evaluate`] takes, whoever the customer is.
    pub fn steps_max(&self) -> u64 {
        let atoms = self.atoms.iter().map(|atom| cost::steps_max(&atom.condition));
        let formulas = self.formulas.iter().map(|(formula, _)| formula.parts());
        let expressions = self.clauses.iter().map(|clause| &clause.rule.expression);
        let compared = expressions.filter(|clause| Compared::of(clause).is_some());
        atoms.chain(formulas).chain(compared.map(|clause| 1 + cost::steps_max(clause))).sum()
    }

    /// A clause of this book.
    pub fn clause(&self, index: ClauseIndex) -> &Clause {
        &self.clauses[index as usize]
    }

    /// What the rules of an action read, for whatever customer.
    pub fn reads(&self, action: ActionIndex) -> Reads {
        let mut reads = Reads::default();
        self.clauses_of(action).for_each(|clause| reads.extend(clause.rule.reads()));
        reads
    }

    /// The cheapest changes after which an action passes all its rules (see [`Rule::flips`]).
    pub fn flips(&self, action: ActionIndex, facts: &dyn Facts) -> Option<Vec<Flip>> {
        let domains = self
            .clauses_of(action)
            .flat_map(|clause| clause.rule.domains.iter())
            .map(|(reference, domain)| (*reference, domain.clone()))
            .collect();
        let goals = self.clauses_of(action).map(|clause| (&clause.rule.expression, true));
        flips::cheapest(goals, &domains, facts)
    }

    fn clauses_of(&self, action: ActionIndex) -> impl Iterator<Item = &Clause> {
        self.places[self.places_of(action)].iter().map(|(_, clause)| self.clause(*clause))
    }

    fn places_of(&self, action: ActionIndex) -> Range<usize> {
        let action = usize::from(action);
        self.starts[action]..self.starts[action + 1]
    }
}

impl Evaluation<'_> {
    /// Whether the action passes all its rules.
    pub fn allowed(&self, action: ActionIndex) -> bool {
        self.refusal(action).is_none()
    }

    /// The first clause by which the action falls, in the order of the layers, then of the rule;
    /// `None` when it passes.
    pub fn refusal(&self, action: ActionIndex) -> Option<Refusal> {
        let place = self.not_true.first_in(self.book.places_of(action))?;
        let (layer, clause) = self.book.places[place];
        let truth = if self.failed.get(place) { Truth::False } else { Truth::Unknown };
        Some(Refusal { layer, clause, truth })
    }
}

impl Formula {
    fn parts(&self) -> u64 {
        match self {
            Self::Atom(_) => 1,
            Self::Not(inner) => 1 + inner.parts(),
            Self::All(terms) | Self::Any(terms) => 1 + terms.iter().map(Self::parts).sum::<u64>(),
        }
    }

    fn truth(&self, atoms: &[Truth]) -> Truth {
        match self {
            Self::Atom(index) => atoms[*index],
            Self::Not(inner) => match inner.truth(atoms) {
                Truth::True => Truth::False,
                Truth::Unknown => Truth::Unknown,
                Truth::False => Truth::True,
            },
            Self::All(terms) => terms.iter().map(|term| term.truth(atoms)).min().unwrap_or(Truth::True),
            Self::Any(terms) => terms.iter().map(|term| term.truth(atoms)).max().unwrap_or(Truth::False),
        }
    }
}

/// Finds equal clauses and atoms by how they are written out.
#[derive(Default)]
struct Compiler {
    clauses: Vec<Clause>,
    atoms: Vec<Atom>,
    known_clauses: BTreeMap<(PurposeIndex, String), ClauseIndex>,
    known_atoms: BTreeMap<(PurposeIndex, String), usize>,
}

impl Compiler {
    fn clause(&mut self, purpose: PurposeIndex, rule: Rule) -> ClauseIndex {
        let key = (purpose, format!("{:?}", rule.expression));
        let clauses = &mut self.clauses;
        *self.known_clauses.entry(key).or_insert_with(|| {
            clauses.push(Clause { rule, purpose });
            u32::try_from(clauses.len() - 1).expect("fewer than 2^32 clauses fit in memory")
        })
    }

    fn book(mut self, needs: Vec<Vec<(Layer, ClauseIndex)>>) -> RuleBook {
        let lengths = needs.iter().map(Vec::len);
        let starts = std::iter::once(0).chain(lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        let starts = starts.collect();
        let places = needs.concat();
        let mut places_of: Vec<Vec<u32>> = vec![Vec::new(); self.clauses.len()];
        for (place, (_, clause)) in (0u32..).zip(&places) {
            places_of[*clause as usize].push(place);
        }
        let clauses = std::mem::take(&mut self.clauses);
        let (mut compared, mut formulas) = (Vec::new(), Vec::new());
        for (clause, places) in clauses.iter().zip(places_of) {
            match Compared::of(&clause.rule.expression) {
                Some(one) => {
                    compared.extend(places.into_iter().map(|place| (clause.purpose, one.clone(), place)));
                }
                None => formulas.push((self.formula(clause.purpose, &clause.rule.expression), places)),
            }
        }
        RuleBook { clauses, places, starts, index: Index::new(compared), formulas, atoms: self.atoms }
    }

    fn formula(&mut self, purpose: PurposeIndex, expression: &Expression) -> Formula {
        match expression {
            Expression::Not(inner) => Formula::Not(Box::new(self.formula(purpose, inner))),
            Expression::All(terms) => {
                Formula::All(terms.iter().map(|term| self.formula(purpose, term)).collect())
            }
            Expression::Any(terms) => {
                Formula::Any(terms.iter().map(|term| self.formula(purpose, term)).collect())
            }
            condition => Formula::Atom(self.atom(purpose, condition)),
        }
    }

    fn atom(&mut self, purpose: PurposeIndex, condition: &Expression) -> usize {
        let atoms = &mut self.atoms;
        let key = (purpose, format!("{condition:?}"));
        *self.known_atoms.entry(key).or_insert_with(|| {
            atoms.push(Atom { purpose, condition: condition.clone() });
            atoms.len() - 1
        })
    }
}

/// A set of small numbers.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn zeros(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }
    pub fn set_all(&mut self, members: &[u32]) {
        members.iter().for_each(|member| self.0[*member as usize / 64] |= 1 << (member % 64));
    }
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }
    /// The first member of a range.
    fn first_in(&self, range: Range<usize>) -> Option<usize> {
        let mut start = range.start;
        while start < range.end {
            let rest = self.0[start / 64] >> (start % 64);
            if rest != 0 {
                return Some(start + rest.trailing_zeros() as usize).filter(|first| *first < range.end);
            }
            start = (start / 64 + 1) * 64;
        }
        None
    }
    fn get(&self, index: usize) -> bool {
        self.0[index / 64] & 1 << (index % 64) != 0
    }
}
