//! How an offer may be accepted: a rule over what it is, whose it is, and how the order was paid. Charging is the host's.

use crate::policy::is_before_payment;
use crate::vocabulary::{AcceptMode, OfferKind, PaymentType, Stage};

/// What the rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acceptance {
    pub(crate) kind: OfferKind,
    pub(crate) third_party: bool,
    pub(crate) stage: Stage,
    pub(crate) payment: PaymentType,
    pub(crate) rechargeable: Option<bool>,
}

impl Acceptance {
    /// The shortest way that is allowed. A stored credential only where the merchant itself sells, once, and the host vouches
    /// that the payment can be charged again: where another sells, the law wants the customer to give the payment anew (in the
    /// US, 15 U.S.C. 8402), and what recurs wants a consent of its own.
    pub(crate) fn mode(self) -> AcceptMode {
        match self.kind {
            OfferKind::Content | OfferKind::NextPurchase => AcceptMode::None,
            OfferKind::AppPrompt => AcceptMode::Redirect,
            OfferKind::Loyalty => AcceptMode::LeadOptIn,
            _ if self.third_party => AcceptMode::Redirect,
            OfferKind::PaymentIncentive => AcceptMode::Redirect,
            // Nothing is charged yet: it joins the order.
            _ if is_before_payment(self.stage) => AcceptMode::None,
            _ if !self.can_charge_again() => AcceptMode::ReenterPayment,
            OfferKind::Subscription => AcceptMode::ConfirmConsent,
            OfferKind::Product | OfferKind::AddOn | OfferKind::Warranty | OfferKind::Service => {
                AcceptMode::OneClickStoredCredential
            }
        }
    }

    /// Some ways of paying cannot be charged again, whatever the host says.
    fn can_charge_again(self) -> bool {
        let once = matches!(
            self.payment,
            PaymentType::Wallet
                | PaymentType::Bnpl
                | PaymentType::BankTransfer
                | PaymentType::GiftCard
                | PaymentType::Cash
        );
        self.rechargeable == Some(true) && !once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of what the rule looks at.
    fn all() -> impl Iterator<Item = Acceptance> {
        let rechargeable = [None, Some(false), Some(true)];
        OfferKind::ALL.iter().flat_map(move |kind| {
            [false, true].into_iter().flat_map(move |third_party| {
                Stage::ALL.iter().flat_map(move |stage| {
                    PaymentType::ALL.iter().flat_map(move |payment| {
                        rechargeable.into_iter().map(move |rechargeable| Acceptance {
                            kind: *kind,
                            third_party,
                            stage: *stage,
                            payment: *payment,
                            rechargeable,
                        })
                    })
                })
            })
        })
    }

    #[test]
    fn a_stored_credential_is_charged_only_by_the_merchant_once_and_where_the_host_vouches() {
        let mut charged = 0;
        for case in all().filter(|case| case.mode() == AcceptMode::OneClickStoredCredential) {
            assert!(!case.third_party, "{case:?}");
            assert_eq!(case.rechargeable, Some(true), "{case:?}");
            assert_ne!(case.kind, OfferKind::Subscription, "{case:?}");
            assert!(!matches!(case.payment, PaymentType::GiftCard | PaymentType::Bnpl), "{case:?}");
            charged += 1;
        }
        assert!(charged > 0);
    }

    #[test]
    fn what_recurs_asks_for_consent_and_what_costs_nothing_for_nothing() {
        let paid = Acceptance {
            kind: OfferKind::Subscription,
            third_party: false,
            stage: Stage::Confirmation,
            payment: PaymentType::Card,
            rechargeable: Some(true),
        };
        assert_eq!(paid.mode(), AcceptMode::ConfirmConsent);
        assert_eq!(
            Acceptance { kind: OfferKind::Product, ..paid }.mode(),
            AcceptMode::OneClickStoredCredential
        );
        assert_eq!(Acceptance { third_party: true, ..paid }.mode(), AcceptMode::Redirect);
        assert_eq!(Acceptance { rechargeable: None, ..paid }.mode(), AcceptMode::ReenterPayment);
        assert_eq!(Acceptance { kind: OfferKind::Content, ..paid }.mode(), AcceptMode::None);
        assert_eq!(Acceptance { kind: OfferKind::Loyalty, ..paid }.mode(), AcceptMode::LeadOptIn);
        let before = Acceptance { kind: OfferKind::Product, stage: Stage::Cart, ..paid };
        assert_eq!(before.mode(), AcceptMode::None);
    }
}
