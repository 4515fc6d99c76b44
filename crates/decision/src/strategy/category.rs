//! What kind of personal data is it? The ids of the W3C Data Privacy Vocabulary (personal data extension, 2.0)
//! that an inventory may use, with what fideslang calls the same, and which of them are special categories.
//!
//! A selection: what customers of an organisation are described by. Anything finer takes its wider id.

/// Prefix of an id as it is written in an inventory.
const PREFIX: &str = "dpv-pd:";

/// One category: DPV id without prefix, fideslang key, special category (GDPR article 9).
type Category = (&'static str, &'static str, bool);

const CATEGORIES: &[Category] = &[
    ("Age", "user.demographic", false),
    ("AgeExact", "user.demographic.date_of_birth", false),
    ("AgeRange", "user.demographic.age_range", false),
    ("ApartmentOwned", "user.financial", false),
    ("AuthenticationHistory", "user.authorization", false),
    ("BankAccount", "user.financial.bank_account", false),
    ("Behavioral", "user.behavior", false),
    ("Biometric", "user.biometrics", true),
    ("BirthDate", "user.demographic.date_of_birth", false),
    ("BrowserHistory", "user.behavior.browsing_history", false),
    ("BrowsingBehavior", "user.behavior.browsing_history", false),
    ("CallLog", "user.behavior", false),
    ("CarOwned", "user.financial", false),
    ("City", "user.contact.address.city", false),
    ("Communication", "user.content.private", false),
    ("CommunicationsMetadata", "user.behavior", false),
    ("Contact", "user.contact", false),
    ("Country", "user.contact.address.country", false),
    ("Credit", "user.financial", false),
    ("CreditRecord", "user.financial", false),
    ("CreditScore", "user.financial", false),
    ("CreditWorthiness", "user.financial", false),
    ("Demographic", "user.demographic", false),
    ("DeviceBased", "user.device", false),
    ("DeviceSoftware", "user.device", false),
    ("Disability", "user.health.condition", true),
    ("Education", "user.professional_information", false),
    ("EmailAddress", "user.contact.email", false),
    ("EmploymentHistory", "user.professional_information", false),
    ("EthnicOrigin", "user.demographic.race_ethnicity", true),
    ("Ethnicity", "user.demographic.race_ethnicity", true),
    ("Family", "user.demographic", false),
    ("FamilyStructure", "user.demographic", false),
    ("Favorite", "user.demographic.profile", false),
    ("Financial", "user.financial", false),
    ("FinancialAccount", "user.financial.bank_account", false),
    ("FinancialStatus", "user.financial", false),
    ("GPSCoordinate", "user.location.precise", false),
    ("Gender", "user.demographic.gender", false),
    ("Genetic", "user.health.genetic", true),
    ("Geographic", "user.location.coarse", false),
    ("Health", "user.health", true),
    ("HealthHistory", "user.health", true),
    ("HouseNumber", "user.contact.address.street", false),
    ("HouseOwned", "user.financial", false),
    ("IPAddress", "user.device.ip_address", false),
    ("Identifier", "user.unique_id", false),
    ("Income", "user.financial", false),
    ("IncomeBracket", "user.financial", false),
    ("IndividualProfile", "user.demographic.profile", false),
    ("Insurance", "user.financial", false),
    ("Intention", "user.demographic.profile", false),
    ("Interest", "user.demographic.profile", false),
    ("Job", "user.professional_information.job_title", false),
    ("Language", "user.demographic.language", false),
    ("LifeHistory", "user.demographic.profile", false),
    ("LinkClicked", "user.behavior", false),
    ("LoanRecord", "user.financial", false),
    ("Location", "user.location", false),
    ("MaritalStatus", "user.demographic.marital_status", false),
    ("MedicalHealth", "user.health", true),
    ("MentalHealth", "user.health", true),
    ("Name", "user.name", false),
    ("Nationality", "user.demographic.citizenship_or_immigration_status", false),
    ("Offspring", "user.children", false),
    ("Opinion", "user.content.private", false),
    ("Ownership", "user.financial", false),
    ("PaymentCard", "user.financial.credit_card", false),
    ("PersonalPossession", "user.financial", false),
    ("Personality", "user.demographic.profile", false),
    ("PhilosophicalBelief", "user.demographic.philosophical_belief", true),
    ("PhysicalAddress", "user.contact.address", false),
    ("PhysicalHealth", "user.health", true),
    ("PoliticalAffiliation", "user.demographic.political_opinion", true),
    ("PoliticalOpinion", "user.demographic.political_opinion", true),
    ("PostalCode", "user.contact.address.postal_code", false),
    ("Preference", "user.demographic.profile", false),
    ("Prescription", "user.health.prescriptions", true),
    ("PrivacyPreference", "user.privacy_preferences", false),
    ("Professional", "user.professional_information", false),
    ("Purchase", "user.behavior.purchase_history", false),
    ("PurchasesAndSpendingHabit", "user.behavior.purchase_history", false),
    ("Race", "user.demographic.race_ethnicity", true),
    ("Region", "user.contact.address.state", false),
    ("Relationship", "user.demographic", false),
    ("Reliability", "user.demographic.profile", false),
    ("Religion", "user.demographic.religious_belief", true),
    ("ReligiousBelief", "user.demographic.religious_belief", true),
    ("Salary", "user.financial", false),
    ("ServiceConsumptionBehavior", "user.behavior", false),
    ("Sexual", "user.demographic.sexual_orientation", true),
    ("SexualPreference", "user.demographic.sexual_orientation", true),
    ("SocialMedia", "user.contact.social_url", false),
    ("Street", "user.contact.address.street", false),
    ("TVViewingBehavior", "user.behavior.media_consumption", false),
    ("TelephoneNumber", "user.contact.phone_number", false),
    ("TradeUnionMembership", "user.demographic.union_membership", true),
    ("Transaction", "user.payment", false),
    ("Transactional", "user.payment", false),
    ("TravelHistory", "user.location", false),
    ("UID", "user.unique_id", false),
    ("UserAgent", "user.device", false),
    ("Username", "user.account.username", false),
    ("Vehicle", "user.demographic.profile", false),
    ("VehicleUsage", "user.behavior", false),
    ("VoiceCommunicationRecording", "user.content.private", false),
];

/// The category with this id, written `dpv-pd:Income`.
fn find(id: &str) -> Option<&'static Category> {
    let bare = id.strip_prefix(PREFIX)?;
    CATEGORIES.iter().find(|(known, ..)| *known == bare)
}

/// Whether an inventory may use this id.
pub fn is_known(id: &str) -> bool {
    find(id).is_some()
}

/// All ids as they are written.
pub(super) fn ids() -> impl Iterator<Item = String> {
    CATEGORIES.iter().map(|(id, ..)| format!("{PREFIX}{id}"))
}

/// The fideslang key of the same or the next wider category.
pub fn fideslang(id: &str) -> Option<&'static str> {
    find(id).map(|(_, alias, _)| *alias)
}

/// Whether it is a special category, GDPR article 9.
pub fn is_special(id: &str) -> bool {
    find(id).is_some_and(|(.., special)| *special)
}
