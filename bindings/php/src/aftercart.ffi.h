#define FFI_SCOPE "AFTERCART"
#define FFI_LIB "libaftercart.so.1"
typedef struct aftercart_decider aftercart_decider;
typedef struct aftercart_engine aftercart_engine;
typedef struct aftercart_key aftercart_key;
typedef struct aftercart_programmes aftercart_programmes;
typedef struct {
  uint32_t struct_size;
  uint32_t mode;
  uint32_t verify;
  uint32_t prefault;
  uint64_t visit_budget;
} aftercart_options;
typedef struct {
  uint32_t struct_size;
  int32_t status;
  int32_t os_error;
  uint32_t rule;
  uint64_t offset;
  char part[32];
  char message[456];
} aftercart_error;
typedef struct {
  uint32_t struct_size;
  uint32_t products;
  uint32_t offers;
  char currency[4];
  uint64_t index_generation;
  uint64_t policy_generation;
  int64_t created_at_ms;
  uint64_t file_bytes;
  char kernel[16];
} aftercart_info;
typedef struct {
  uint32_t offset;
  uint32_t length;
} aftercart_text;
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  int64_t created_at_ms;
  int64_t value;
  aftercart_text order_id;
  char currency[4];
  char country[4];
  uint32_t stage;
  uint32_t slots;
  uint32_t min_relevance;
  uint32_t payment;
  uint32_t rechargeable;
  uint32_t reserved;
  aftercart_text placement;
} aftercart_transaction;
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t customer;
  uint32_t age_band;
  uint32_t loyalty_member;
  uint32_t has_app;
  uint64_t unit_key[2];
  uint64_t session_key[2];
  aftercart_text loyalty_tier;
  uint32_t orders;
  uint32_t reserved;
  uint32_t purposes_asked;
  uint32_t purposes_granted;
} aftercart_profile;
typedef struct {
  aftercart_text item_id;
  aftercart_text category;
  aftercart_text brand;
  int64_t unit_price;
  uint32_t quantity;
  uint32_t role;
  uint32_t sensitive;
  uint32_t flags;
} aftercart_line;
typedef struct {
  uint32_t kind;
  uint32_t reserved;
  int64_t at_ms;
  aftercart_text id;
  aftercart_text tag;
} aftercart_fact;
typedef struct {
  uint32_t item_kind;
  uint32_t item_row;
  uint32_t kind;
  uint32_t position;
  uint32_t third_party;
  uint32_t relation;
  int32_t line;
  uint32_t relevance;
  uint32_t p_accept_ppm;
  uint32_t p_select_ppm;
  int64_t value;
  int64_t ev_micros;
  int64_t price;
  uint32_t id_length;
  uint32_t accept;
  char id[72];
  uint32_t accept_reason;
  uint32_t may_need_confirmation;
} aftercart_offer;
typedef struct {
  uint32_t struct_size;
  uint32_t reason;
  uint64_t decision_id_low;
  uint64_t decision_id_high;
  uint64_t index_generation;
  uint64_t policy_generation;
  uint32_t retrieved;
  uint32_t eligible;
  uint32_t rejected;
  uint32_t centroids;
  uint32_t cells;
  uint32_t compared;
  uint64_t overlay_generation;
  uint64_t group_id_low;
  uint64_t group_id_high;
  uint32_t model_generation;
  uint32_t reserved;
} aftercart_summary;
typedef struct {
  uint32_t struct_size;
  uint32_t item_kind;
  uint32_t item_row;
  int32_t position;
  uint32_t relation;
  int32_t line;
  uint32_t relevance;
  uint32_t p_accept_ppm;
  int64_t ev_micros;
  uint32_t reason_count;
  uint32_t reserved;
  uint32_t reasons[32];
} aftercart_explanation;
typedef struct {
  uint32_t struct_size;
  uint32_t row;
  int64_t gain_micros;
  uint32_t answer_row;
  uint32_t answer_count;
  uint32_t decisions;
  uint32_t reserved;
} aftercart_question;
typedef struct {
  uint32_t struct_size;
  uint32_t quantity;
  uint64_t decision_id_low;
  uint64_t decision_id_high;
  int64_t price;
  int64_t expires_at_ms;
  char currency[4];
  uint32_t id_length;
  char id[72];
  uint64_t idempotency_key_low;
  uint64_t idempotency_key_high;
} aftercart_claim;
typedef struct {
  aftercart_text id;
  int64_t price;
  int64_t arrives_by_ms;
  uint32_t flags;
  uint32_t reserved;
} aftercart_option;
typedef struct {
  aftercart_text id;
  char country[4];
  uint32_t device;
  int64_t amount_from;
  uint32_t orders;
  uint32_t reserved;
} aftercart_method_count;
typedef struct {
  uint32_t option;
  uint32_t because;
  uint64_t reserved;
} aftercart_ranked;
typedef struct {
  uint32_t field;
  uint32_t slot;
  char country[4];
  uint32_t uses;
  int64_t last_used_ms;
} aftercart_stored;
typedef struct {
  uint32_t field;
  uint32_t slot;
  uint32_t because;
  uint32_t reserved;
  int64_t confidence_ppm;
} aftercart_prefilled;
typedef struct {
  uint32_t kind;
  uint32_t channel;
  uint32_t withheld;
  uint32_t line;
  int64_t at_ms;
  int64_t expires_at_ms;
  uint32_t item_kind;
  uint32_t item_row;
  int32_t due_days;
  uint32_t own_intervals;
  char programme[72];
  char template_id[72];
  char content_id[72];
} aftercart_follow_up;
typedef struct {
  uint32_t item_kind;
  uint32_t item_row;
  uint64_t own;
  uint64_t partner;
  int64_t bid;
} aftercart_live_fact;
typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t expires_at_ms;
  uint64_t words[4];
} aftercart_lease;
typedef struct {
  uint32_t kind;
  uint32_t set;
  uint32_t clear;
  uint32_t stock;
  uint32_t paused;
  uint32_t killed;
  uint32_t money;
  int32_t utc_offset_minutes;
  aftercart_text id;
  aftercart_text pacing;
  int64_t price;
  int64_t priced_at_ms;
  int64_t bid;
  int64_t daily;
  int64_t total;
} aftercart_change;
typedef struct {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t paused;
  uint32_t killed;
  int32_t stock;
  int32_t utc_offset_minutes;
  uint32_t money;
  uint32_t paced;
  uint32_t throttle_ppm;
  uint32_t leases;
  int64_t price;
  int64_t priced_at_ms;
  int64_t bid;
  int64_t daily;
  int64_t total;
  int64_t spent_today;
  int64_t spent;
  int64_t held;
} aftercart_live_state;
typedef struct {
  uint32_t struct_size;
  uint32_t logs;
  uint64_t made;
  uint64_t logged;
  uint64_t dropped;
  uint64_t drained;
} aftercart_logged;
typedef struct {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t flags;
  uint32_t reserved;
  uint64_t decision_id_low;
  uint64_t decision_id_high;
  int64_t at_ms;
  int64_t value;
  int64_t margin;
  int64_t payout;
  aftercart_text event_id;
  aftercart_text item_id;
  aftercart_text code;
  aftercart_text question;
  aftercart_text answer;
} aftercart_event;
uint32_t aftercart_abi_version(void);
const char *aftercart_version(void);
const char *aftercart_status_name(int32_t status);
const char *aftercart_reason_text(uint32_t reason);
int32_t aftercart_engine_open(const char *path,
                              size_t path_length,
                              const aftercart_options *options,
                              aftercart_engine **engine,
                              aftercart_error *error);
int32_t aftercart_engine_with_model(const aftercart_engine *engine,
                                    const char *path,
                                    size_t path_length,
                                    uint32_t shadow,
                                    aftercart_engine **with_model,
                                    aftercart_error *error);
int32_t aftercart_engine_close(aftercart_engine *engine);
int32_t aftercart_engine_info(const aftercart_engine *engine, aftercart_info *info);
int32_t aftercart_item_text(const aftercart_engine *engine,
                            uint32_t item_kind,
                            uint32_t item_row,
                            uint32_t text,
                            char *buffer,
                            size_t capacity,
                            size_t *length);
int32_t aftercart_decider_new(const aftercart_engine *engine,
                              aftercart_decider **decider,
                              aftercart_error *error);
int32_t aftercart_decider_free(aftercart_decider *decider);
int32_t aftercart_decide(aftercart_decider *decider,
                         const aftercart_transaction *transaction,
                         const aftercart_profile *profile,
                         const aftercart_line *lines,
                         size_t line_size,
                         size_t line_count,
                         const aftercart_fact *facts,
                         size_t fact_size,
                         size_t fact_count,
                         const char *strings,
                         size_t strings_length,
                         aftercart_offer *offers,
                         size_t offer_size,
                         size_t capacity,
                         size_t *count,
                         aftercart_summary *summary);
int32_t aftercart_explain(aftercart_decider *decider,
                          const aftercart_transaction *transaction,
                          const aftercart_profile *profile,
                          const aftercart_line *lines,
                          size_t line_size,
                          size_t line_count,
                          const aftercart_fact *facts,
                          size_t fact_size,
                          size_t fact_count,
                          const char *strings,
                          size_t strings_length,
                          uint32_t kind,
                          const char *id,
                          size_t id_length,
                          aftercart_explanation *explanation,
                          char *buffer,
                          size_t capacity,
                          size_t *length);
int32_t aftercart_next_question(aftercart_decider *decider,
                                const aftercart_transaction *transaction,
                                const aftercart_profile *profile,
                                const aftercart_line *lines,
                                size_t line_size,
                                size_t line_count,
                                const aftercart_fact *facts,
                                size_t fact_size,
                                size_t fact_count,
                                const char *strings,
                                size_t strings_length,
                                aftercart_question *question);
int32_t aftercart_key_new(const uint8_t *secret,
                          size_t secret_length,
                          aftercart_key **key,
                          aftercart_error *error);
int32_t aftercart_key_free(aftercart_key *key);
int32_t aftercart_token_sign(const aftercart_key *key,
                             const aftercart_claim *claim,
                             char *buffer,
                             size_t capacity,
                             size_t *length);
int32_t aftercart_token_verify(const aftercart_key *key,
                               const char *token,
                               size_t token_length,
                               const char *currency,
                               int64_t now_ms,
                               int64_t skew_ms,
                               aftercart_claim *claim);
int32_t aftercart_rank_payment_methods(aftercart_decider *decider,
                                       const aftercart_transaction *transaction,
                                       const aftercart_profile *profile,
                                       const aftercart_line *lines,
                                       size_t line_size,
                                       size_t line_count,
                                       const aftercart_fact *facts,
                                       size_t fact_size,
                                       size_t fact_count,
                                       const char *strings,
                                       size_t strings_length,
                                       uint32_t device,
                                       const aftercart_option *options,
                                       size_t option_size,
                                       size_t option_count,
                                       const aftercart_method_count *counts,
                                       size_t count_size,
                                       size_t count_count,
                                       aftercart_ranked *ranking,
                                       size_t ranked_size,
                                       size_t capacity,
                                       size_t *count);
int32_t aftercart_rank_shipping_options(aftercart_decider *decider,
                                        const aftercart_transaction *transaction,
                                        const aftercart_profile *profile,
                                        const aftercart_line *lines,
                                        size_t line_size,
                                        size_t line_count,
                                        const aftercart_fact *facts,
                                        size_t fact_size,
                                        size_t fact_count,
                                        const char *strings,
                                        size_t strings_length,
                                        const aftercart_option *options,
                                        size_t option_size,
                                        size_t option_count,
                                        aftercart_ranked *ranking,
                                        size_t ranked_size,
                                        size_t capacity,
                                        size_t *count);
int32_t aftercart_prefill(const aftercart_transaction *transaction,
                          const aftercart_stored *stored,
                          size_t stored_size,
                          size_t stored_count,
                          aftercart_prefilled *prefilled,
                          size_t prefilled_size,
                          size_t capacity,
                          size_t *count);
int32_t aftercart_programmes_open(const aftercart_engine *engine,
                                  const char *path,
                                  size_t path_length,
                                  aftercart_programmes **programmes,
                                  aftercart_error *error);
int32_t aftercart_programmes_free(aftercart_programmes *programmes);
int32_t aftercart_plan_follow_ups(aftercart_decider *decider,
                                  const aftercart_transaction *transaction,
                                  const aftercart_profile *profile,
                                  const aftercart_line *lines,
                                  size_t line_size,
                                  size_t line_count,
                                  const aftercart_fact *facts,
                                  size_t fact_size,
                                  size_t fact_count,
                                  const char *strings,
                                  size_t strings_length,
                                  const aftercart_programmes *programmes,
                                  int64_t delivery_at_ms,
                                  aftercart_follow_up *follow_ups,
                                  size_t follow_up_size,
                                  size_t capacity,
                                  size_t *count);
int32_t aftercart_engine_with_live(const aftercart_engine *engine,
                                   const char *path,
                                   size_t path_length,
                                   aftercart_engine **with_live,
                                   aftercart_error *error);
int32_t aftercart_decider_use(aftercart_decider *decider, const aftercart_engine *engine);
int32_t aftercart_live_facts(aftercart_decider *decider,
                             aftercart_live_fact *facts,
                             size_t fact_size,
                             size_t capacity,
                             size_t *count);
int32_t aftercart_lease_reserve(const aftercart_engine *engine,
                                uint32_t item_kind,
                                uint32_t item_row,
                                int64_t value,
                                int64_t now_ms,
                                int64_t for_ms,
                                aftercart_lease *lease);
int32_t aftercart_lease_activate(const aftercart_engine *engine,
                                 const aftercart_lease *lease,
                                 int64_t now_ms);
int32_t aftercart_lease_release(const aftercart_engine *engine, const aftercart_lease *lease, int64_t now_ms);
int32_t aftercart_live_bind(const aftercart_engine *engine,
                            const char *path,
                            size_t path_length,
                            aftercart_error *error);
int32_t aftercart_live_edit(const aftercart_engine *engine,
                            const aftercart_change *changes,
                            size_t change_size,
                            size_t change_count,
                            const char *strings,
                            size_t strings_length,
                            int64_t now_ms,
                            size_t *done,
                            aftercart_error *error);
int32_t aftercart_live_look(const aftercart_engine *engine,
                            uint32_t kind,
                            const char *id,
                            size_t id_length,
                            int64_t now_ms,
                            aftercart_live_state *state,
                            aftercart_error *error);
int32_t aftercart_log_to(aftercart_decider *decider,
                         const char *folder,
                         size_t folder_length,
                         size_t capacity,
                         uint32_t flags,
                         aftercart_error *error);
int32_t aftercart_log_counts(aftercart_decider *decider, aftercart_logged *logged);
int32_t aftercart_event_append(const char *folder,
                               size_t folder_length,
                               const aftercart_event *event,
                               const char *strings,
                               size_t strings_length,
                               aftercart_error *error);
int32_t aftercart_event_json(const aftercart_event *event,
                             const char *strings,
                             size_t strings_length,
                             char *buffer,
                             size_t capacity,
                             size_t *length,
                             aftercart_error *error);
int32_t aftercart_resident(const char *path,
                           size_t path_length,
                           const char *live,
                           size_t live_length,
                           const aftercart_options *options,
                           aftercart_engine **engine,
                           aftercart_decider **decider,
                           aftercart_error *error);
int32_t aftercart_resident_model(const char *path,
                                 size_t path_length,
                                 const char *live,
                                 size_t live_length,
                                 const char *model,
                                 size_t model_length,
                                 uint32_t shadow,
                                 const aftercart_options *options,
                                 aftercart_engine **engine,
                                 aftercart_decider **decider,
                                 aftercart_error *error);
int32_t aftercart_resident_programmes(const aftercart_engine *engine,
                                      const char *path,
                                      size_t path_length,
                                      aftercart_programmes **programmes,
                                      aftercart_error *error);
int32_t aftercart_selftest(aftercart_decider *decider, uint32_t what);
