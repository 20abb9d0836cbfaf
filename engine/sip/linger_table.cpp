#include "engine/sip/linger_table.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {
namespace {

/// A keyed 64-bit hash in the manner of wyhash; the seed is secret, so collisions cannot be made.
class hasher {
public:
  explicit hasher(uint64_t seed) noexcept : state_(seed ^ 0xa0761d6478bd642f) {}

  void add(std::string_view text) noexcept {
    add(text.size());
    for (; text.size() > 8; text.remove_prefix(8))
      add(load(text.substr(0, 8)));
    add(load(text));
  }
  void add_lower(std::string_view text) noexcept {
    add(text.size());
    while (!text.empty()) {
      uint64_t word = 0;
      auto n = std::min<size_t>(8, text.size());
      for (size_t i = 0; i < n; ++i)
        word = word << 8 | static_cast<unsigned char>(lower(text[i]));
      add(word);
      text.remove_prefix(n);
    }
  }
  void add(uint64_t word) noexcept {
    state_ = fold(state_ ^ word ^ 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3 ^ state_ >> 32);
  }
  [[nodiscard]] uint64_t value() const noexcept {
    return fold(state_ ^ 0x589965cc75374cc3, 0x1d8e4e27c47d124f);
  }

private:
  static uint64_t load(std::string_view text) noexcept {
    uint64_t word = 0;
    for (unsigned char c : text)
      word = word << 8 | c;
    return word;
  }
  /// High and low half of the 128-bit product.
  static uint64_t fold(uint64_t a, uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    auto product = static_cast<wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  uint64_t state_;
};

constexpr uint64_t invite_marker = 0x494e56495445; // tells keys of transactions from those of legs

} // namespace

uint64_t transaction_key(const message& request, uint64_t seed) noexcept {
  hasher h(seed);
  auto& top = request.via();
  h.add_lower(top.host);
  h.add(top.port);
  if (top.branch.starts_with(branch_id::cookie)) {
    h.add(top.branch);
    return h.value();
  }
  // §17.2.3: what an INVITE, its CANCEL and its ACK have in common with RFC 2543 peers.
  h.add(request.request_uri());
  h.add(request.from_tag());
  h.add(request.call_id());
  h.add(request.cseq_number());
  h.add(top.whole);
  return h.value();
}

uint64_t merge_key(const message& request, uint64_t seed) noexcept {
  hasher h(seed);
  h.add(request.from_tag());
  h.add(request.call_id());
  h.add(request.cseq_number());
  h.add(request.cseq_method_name());
  h.add(request.request_uri());
  return h.value();
}

uint64_t attempt_key(const message& request, uint64_t seed) noexcept {
  hasher h(seed);
  h.add(request.from_tag());
  h.add(request.call_id());
  h.add(request.cseq_number());
  return h.value();
}

void reject_statelessly(const message& request, int status, const ua_profile& profile,
                        ua_sink& sink, std::string_view headers) {
  if (!request.is_request() || request.request_method() == method::ack)
    return;
  // Made of what identifies the request, so a retransmission gets the same tag.
  auto key = merge_key(request, 0x9e3779b97f4a7c15) ^ hash_of_tag(request.via().branch);
  leg_id::text_buffer text = leg_id{0, 0, 0, key}.text();
  auto tag = view(text).substr(leg_id::text_size - 14);
  auto head = make_response_head(request, status == 100 ? std::string_view{} : tag, sink.source());
  // Who refuses a method out of dialog knows better what is allowed there.
  auto tells_capabilities = (status == 200 || status == 405 || status == 501) &&
                            headers.find("Allow: ") == std::string_view::npos;
  auto& out = scratch_text();
  append_response(out, profile, head,
                  {.status = status, .capabilities = tells_capabilities, .headers = headers});
  auto rank = request.request_method() != method::invite ? send_rank::response
              : status < 200                             ? send_rank::provisional
                                                         : send_rank::invite_final;
  sink.send({out, rank, send_to::request_source, {}, request.request_method(), status, false});
}

namespace {

[[nodiscard]] std::pair<uint64_t, uint64_t> key_of(const leg_id& leg) noexcept {
  return {uint64_t{leg.lane} << 56 | uint64_t{leg.slot} << 32 | leg.generation, leg.nonce};
}

} // namespace

linger_table::linger_table(size_t capacity, duration lifetime, uint64_t seed)
    : capacity_(std::clamp<size_t>(capacity, 1, UINT32_MAX / 4)), lifetime_(lifetime), seed_(seed) {
}

// -- the FIFO and its index -----------------------------------------------------------------

size_t linger_table::home_of(const record& r) const noexcept {
  hasher h(seed_);
  h.add(r.key_low);
  h.add(r.key_high);
  h.add(static_cast<uint64_t>(r.what));
  return h.value() & (index_.size() - 1);
}

void linger_table::index_insert(uint32_t position) noexcept {
  auto at = home_of(ring_[position]);
  while (index_[at] != 0)
    at = (at + 1) & (index_.size() - 1);
  index_[at] = position + 1;
}

void linger_table::index_erase(uint32_t position) noexcept {
  auto mask = index_.size() - 1;
  auto at = home_of(ring_[position]);
  while (index_[at] != position + 1)
    at = (at + 1) & mask;
  // Moves back what would not be found past the hole.
  auto hole = at;
  for (auto next = (at + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
    auto home = home_of(ring_[index_[next] - 1]);
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      index_[hole] = index_[next];
      hole = next;
    }
  }
  index_[hole] = 0;
}

linger_table::record* linger_table::find(kind what, uint64_t low, uint64_t high) noexcept {
  if (size_ == 0)
    return nullptr;
  record wanted{.key_low = low, .key_high = high, .what = what};
  auto mask = index_.size() - 1;
  for (auto at = home_of(wanted); index_[at] != 0; at = (at + 1) & mask) {
    auto& r = ring_[index_[at] - 1];
    if (r.key_low == low && r.key_high == high && r.what == what)
      return &r;
  }
  return nullptr;
}

void linger_table::drop_oldest() noexcept {
  index_erase(static_cast<uint32_t>(head_));
  head_ = head_ + 1 == ring_.size() ? 0 : head_ + 1;
  --size_;
}

void linger_table::expire(time_point now) noexcept {
  while (size_ > 0 && ring_[head_].expires <= now)
    drop_oldest();
}

void linger_table::grow() {
  auto wanted = std::min(capacity_, std::max<size_t>(64, ring_.size() * 2));
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(head_), ring_.end());
  head_ = 0;
  ring_.reserve(wanted);
  ring_.resize(wanted);
  size_t slots = 128;
  while (slots < 2 * wanted)
    slots *= 2;
  index_.assign(slots, 0);
  for (uint32_t i = 0; i < size_; ++i)
    index_insert(i);
}

void linger_table::add(const record& r) {
  expire(r.expires - lifetime_);
  if (auto* known = find(r.what, r.key_low, r.key_high)) {
    known->status = r.status; // its time runs on: records stay in order
    known->keep_tag = r.keep_tag;
    return;
  }
  if (size_ == capacity_) {
    drop_oldest();
    ++evicted_;
  }
  if (size_ == ring_.size())
    grow();
  auto position = head_ + size_;
  if (position >= ring_.size())
    position -= ring_.size();
  ring_[position] = r;
  ++size_;
  index_insert(static_cast<uint32_t>(position));
}

size_t linger_table::heap_bytes() const noexcept {
  auto n = ring_.capacity() * sizeof(record) + index_.capacity() * sizeof(uint32_t) +
           byes_.capacity() * sizeof(parting_bye);
  for (auto& bye : byes_)
    n += bye.heap_bytes();
  return n;
}

// -- what legs leave ------------------------------------------------------------------------

void linger_table::answer_bye(time_point now, const leg_id& leg, int status) {
  auto [low, high] = key_of(leg);
  add({low, high, now + lifetime_, 0, static_cast<uint16_t>(status), kind::bye});
}

void linger_table::answer_late_2xx(time_point now, const leg_id& leg, uint64_t keep_tag) {
  auto [low, high] = key_of(leg);
  add({low, high, now + lifetime_, keep_tag, 0, kind::late_2xx});
}

void linger_table::absorb_invite(time_point now, uint64_t transaction) {
  add({transaction, invite_marker, now + lifetime_, 0, 0, kind::invite});
}

void linger_table::finish(parting_bye bye) {
  // As many as may be late at once is a matter of seconds; the oldest has been sent most often.
  constexpr size_t most = 4096;
  if (byes_.size() >= most) {
    byes_.erase(byes_.begin());
    ++evicted_;
  }
  byes_.push_back(std::move(bye));
}

// -- what comes -----------------------------------------------------------------------------

bool linger_table::on_message(time_point now, const message& m, const ua_profile& profile,
                              ua_sink& sink) {
  expire(now);
  return m.is_request() ? on_request(m, profile, sink) : on_response(now, m, profile, sink);
}

bool linger_table::on_request(const message& m, const ua_profile& profile, ua_sink& sink) {
  auto what = m.request_method();
  auto answer = [&](int status, std::string_view tag) {
    auto head = make_response_head(m, tag, sink.source());
    auto& text = scratch_text();
    append_response(text, profile, head, {.status = status});
    sink.send({text, send_rank::response, send_to::request_source, {}, what, status, true});
  };
  if (what == method::invite || what == method::cancel) {
    if (m.to_tag().empty() &&
        find(kind::invite, transaction_key(m, seed_), invite_marker) != nullptr) {
      if (what == method::cancel)
        reject_statelessly(m, 200, profile, sink);
      return true;
    }
    return false;
  }
  auto leg = leg_id::parse(m.to_tag());
  if (!leg)
    return false;
  auto [low, high] = key_of(*leg);
  if (what == method::bye) {
    auto* r = find(kind::bye, low, high);
    if (r == nullptr)
      return false;
    answer(r->status, m.to_tag());
    return true;
  }
  if (what == method::ack) // of a dialog that is over: its 2xx is not sent any more
    return find(kind::bye, low, high) != nullptr;
  return false;
}

bool linger_table::on_response(time_point now, const message& m, const ua_profile& profile,
                               ua_sink& sink) {
  auto branch = branch_id::parse(m.via().branch);
  if (!branch || m.from_tag() != view(branch->leg.text()))
    return false;
  for (auto& bye : byes_)
    if (bye.branch() == *branch) {
      bye.on_response(now, m.status());
      std::erase_if(byes_, [](auto& b) { return b.over(); });
      return true;
    }
  auto [low, high] = key_of(branch->leg);
  auto* r = find(kind::late_2xx, low, high);
  if (r == nullptr)
    return find(kind::bye, low, high) != nullptr; // the answer to a BYE, again
  if (m.cseq_method() != method::invite || m.status() < 200)
    return true;
  if (m.status() >= 300) {
    acknowledge_failure(m, *branch, profile, sink);
    return true;
  }
  auto tag = hash_of_tag(m.to_tag());
  auto known = tag == r->keep_tag || std::any_of(byes_.begin(), byes_.end(), [&](auto& bye) {
                 return bye.branch().leg == branch->leg && bye.tag_hash() == tag;
               });
  if (known) {
    parting_bye::repeat_ack(branch->leg, m, profile, sink);
    return true;
  }
  ++late_answers_;
  finish(parting_bye(now, branch->leg, m, profile, sink));
  return true;
}

void linger_table::acknowledge_failure(const message& m, const branch_id& branch,
                                       const ua_profile& profile, ua_sink& sink) {
  // The peer matches it by its branch alone (§17.2.3); the To stands in for the Request-URI.
  auto to = parse_name_addr(m.first(header::to));
  if (!to)
    return;
  request_text t;
  t.what = method::ack;
  t.uri = to->uri;
  t.branch = branch;
  t.from = m.first(header::from);
  t.to = m.first(header::to);
  t.call_id = m.call_id();
  t.cseq = m.cseq_number();
  auto& text = scratch_text();
  append_request(text, profile, t);
  sink.send({text, send_rank::ack, send_to::request_source, {}, method::ack, 0, true});
}

void linger_table::on_time(time_point now, ua_sink& sink) {
  expire(now);
  for (auto& bye : byes_)
    bye.on_time(now, sink);
  std::erase_if(byes_, [](auto& bye) { return bye.over(); });
}

time_point linger_table::next_deadline() const noexcept {
  auto at = size_ > 0 ? ring_[head_].expires : never;
  for (auto& bye : byes_)
    at = std::min(at, bye.next_deadline());
  return at;
}

} // namespace jackfield::sip
