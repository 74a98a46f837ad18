package aftercart

// #include "request.h"
import "C"

import (
	"runtime"
	"strconv"
	"time"
	"unsafe"
)

// Question is the question that is worth asking.
type Question struct {
	ID, Text   string
	Answers    []PossibleAnswer
	GainMicros int64 // by how much the page is expected to be worth more, millionths of a minor unit
	Decisions  int   // that were made to find out
}

// PossibleAnswer is an answer to a question. The page shows Text; SurveyAnswer{question.ID, Tag} says that it was given.
type PossibleAnswer struct{ Tag, Text string }

// NextQuestion finds the question whose answer is expected to make the page worth most; nil where no answer would change it, or
// where one was asked or answered in this order. Then decide again with the answer. engine is the decider's, which has the texts.
// Takes as long as the decisions that it makes, at most 33.
func (d *Decider) NextQuestion(engine *Engine, order *Transaction, customer *Profile) (*Question, error) {
	if !d.busy.CompareAndSwap(false, true) {
		return nil, Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return nil, BadHandle
	}
	if err := d.pack(order, customer); err != nil {
		return nil, err
	}
	q := C.aftercart_question{struct_size: C.sizeof_aftercart_question}
	status := Status(C.next_question(d.request, &q))
	if status < 0 {
		return nil, status
	}
	if status == C.AFTERCART_NO_QUESTION {
		return nil, nil
	}
	return unpackQuestion(engine, &q), nil
}

func unpackQuestion(engine *Engine, q *C.aftercart_question) *Question {
	to := &Question{
		ID:         engine.text(C.AFTERCART_ITEM_QUESTION, uint32(q.row), C.AFTERCART_TEXT_ID),
		Text:       engine.text(C.AFTERCART_ITEM_QUESTION, uint32(q.row), C.AFTERCART_TEXT_TITLE),
		GainMicros: int64(q.gain_micros), Decisions: int(q.decisions),
	}
	for row := uint32(q.answer_row); row < uint32(q.answer_row+q.answer_count); row++ {
		tag, text := engine.text(C.AFTERCART_ITEM_ANSWER, row, C.AFTERCART_TEXT_ID), engine.text(C.AFTERCART_ITEM_ANSWER, row, C.AFTERCART_TEXT_TITLE)
		to.Answers = append(to.Answers, PossibleAnswer{tag, text})
	}
	return to
}

// Claim is what was offered, at what price, until when.
type Claim struct {
	DecisionID     DecisionID // of the offers
	ItemID         string
	Price          int64  // of one unit
	Currency       string // Info.Currency
	Quantity       uint32 // at least 1
	ExpiresAt      time.Time
	IdempotencyKey string // of a token that was verified: the same for every token of one offer of one decision
}

// TokenKey is a secret of your servers. Any number of goroutines may use it.
type TokenKey struct{ c *C.aftercart_key }

// NewTokenKey takes a secret of at least 32 random bytes. The error is an *OpenError.
func NewTokenKey(secret []byte) (*TokenKey, error) {
	copied := C.CBytes(secret)
	defer C.free(copied)
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	key := &TokenKey{}
	if C.aftercart_key_new((*C.uint8_t)(copied), C.size_t(len(secret)), &key.c, &problem) < 0 {
		return nil, openError(&problem)
	}
	runtime.SetFinalizer(key, func(key *TokenKey) { C.aftercart_key_free(key.c) })
	return key, nil
}

// Sign makes a token for the page. Sign offers that have a price and that you charge: AcceptOneClickStoredCredential,
// AcceptConfirmConsent and AcceptReenterPayment.
func (k *TokenKey) Sign(claim *Claim) (string, error) {
	defer runtime.KeepAlive(k)
	given := C.aftercart_claim{
		struct_size: C.sizeof_aftercart_claim, quantity: C.uint32_t(claim.Quantity), price: C.int64_t(claim.Price),
		decision_id_low: C.uint64_t(claim.DecisionID.Low), decision_id_high: C.uint64_t(claim.DecisionID.High),
		expires_at_ms: millis(claim.ExpiresAt), id_length: C.uint32_t(len(claim.ItemID)),
	}
	if len(claim.ItemID) > len(given.id) || !code(&given.currency, claim.Currency) {
		return "", BadValue
	}
	for i := 0; i < len(claim.ItemID); i++ {
		given.id[i] = C.char(claim.ItemID[i])
	}
	var token [C.AFTERCART_TOKEN_BYTES]C.char
	if status := Status(C.aftercart_token_sign(k.c, &given, &token[0], C.size_t(len(token)), nil)); status < 0 {
		return "", status
	}
	return C.GoString(&token[0]), nil
}

// Verify says what a token offers, where it holds for an order in this currency now; clocks may differ by skew. Then charge Price *
// Quantity, once: enter IdempotencyKey where it is unique, in the transaction that charges. BadToken, BadSignature (try the key
// that you had before), TokenExpired, WrongCurrency: do not.
func (k *TokenKey) Verify(token, currency string, now time.Time, skew time.Duration) (*Claim, error) {
	defer runtime.KeepAlive(k)
	if len(currency) != 3 {
		return nil, BadValue
	}
	text, order := C.CString(token), C.CString(currency)
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(order))
	c := C.aftercart_claim{struct_size: C.sizeof_aftercart_claim}
	status := Status(C.aftercart_token_verify(k.c, text, C.size_t(len(token)), order, millis(now), C.int64_t(skew.Milliseconds()), &c))
	if status < 0 {
		return nil, status
	}
	return unpackClaim(&c), nil
}

func unpackClaim(c *C.aftercart_claim) *Claim {
	once := DecisionID{High: uint64(c.idempotency_key_high), Low: uint64(c.idempotency_key_low)}
	return &Claim{
		DecisionID: DecisionID{High: uint64(c.decision_id_high), Low: uint64(c.decision_id_low)},
		ItemID:     C.GoStringN(&c.id[0], C.int(c.id_length)), Price: int64(c.price), Currency: C.GoStringN(&c.currency[0], 3),
		Quantity: uint32(c.quantity), ExpiresAt: time.UnixMilli(int64(c.expires_at_ms)), IdempotencyKey: once.String(),
	}
}

// ParseDecisionID reads what DecisionID.String wrote.
func ParseDecisionID(text string) (DecisionID, error) {
	if len(text) != 32 {
		return DecisionID{}, BadValue
	}
	high, wrong := strconv.ParseUint(text[:16], 16, 64)
	low, wrongToo := strconv.ParseUint(text[16:], 16, 64)
	if wrong != nil || wrongToo != nil {
		return DecisionID{}, BadValue
	}
	return DecisionID{high, low}, nil
}
