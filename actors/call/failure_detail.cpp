#include "actors/call/failure_detail.hpp"

#include <string_view>
#include <utility>

#include "engine/report/failure_cause.hpp"
#include "engine/sip/text.hpp"

namespace jackfield {

namespace {

/// Of one header field: a peer may say what it likes.
constexpr size_t longest_part = 80;

class detail_text {
public:
  void add(std::string_view name, std::string_view value) {
    if (value.empty())
      return;
    if (!text_.empty())
      text_ += "; ";
    text_ += name;
    // A folded line is one all the same.
    for (const char c : value.substr(0, longest_part))
      text_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  void add(const sip::message& m, sip::header field, std::string_view name) {
    if (m.has(field))
      add(name, m.first(field));
  }
  void add(const sip::message& m, std::string_view field, std::string_view name) {
    if (const auto value = m.find(field))
      add(name, *value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

private:
  std::string text_;
};

bool is_usual(int status, std::string_view phrase) {
  const auto usual = report::failure_cause::from_status(status).text(); // "486 Busy Here"
  const auto end = usual.find(' ');
  const std::string_view known =
    end == std::string::npos ? std::string_view{} : std::string_view{usual}.substr(end + 1);
  return sip::iequals(phrase, known);
}

void add_response(detail_text& text, const sip::message& m) {
  if (!is_usual(m.status(), m.reason_phrase()))
    text.add("", m.reason_phrase());
  switch (m.status()) {
  case 415:
    text.add(m, "Accept", "takes ");
    break;
  case 420:
    text.add(m, sip::header::unsupported, "does not know ");
    break;
  case 421:
    text.add(m, sip::header::require, "wants ");
    break;
  case 422:
    text.add(m, sip::header::min_se, "Min-SE ");
    break;
  default:
    break;
  }
  text.add(m, "Warning", "Warning ");
  text.add(m, sip::header::retry_after, "Retry-After ");
}

} // namespace

std::string failure_detail(const sip::ua_event& event, const transport::flow_end* way) {
  detail_text text;
  if (event.cause == sip::end_cause::transport_failed) {
    if (way != nullptr)
      text.add("", way->why.cause);
    return text.take();
  }
  if (event.source == nullptr)
    return {};
  if (event.source->is_response() && event.source->status() >= 300)
    add_response(text, *event.source);
  text.add(*event.source, "Reason", "Reason ");
  return text.take();
}

} // namespace jackfield
