#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/sip/message.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/request_check.hpp"

namespace {

using namespace jackfield::sip;

void require(bool holds) {
  if (!holds)
    std::abort();
}

/// All that a message shows lies in the bytes it was given.
void check_views(const message& m, std::string_view bytes) {
  auto inside = [&](std::string_view v) {
    require(v.empty() ||
            (v.data() >= bytes.data() && v.data() + v.size() <= bytes.data() + bytes.size()));
  };
  for (const auto& field : m.fields()) {
    inside(field.name);
    inside(field.value);
  }
  for (auto v : {m.body(), m.via().whole, m.via().branch, m.via().host, m.from_tag(), m.to_tag(),
                 m.call_id(), m.request_uri(), m.reason_phrase(), m.method_name()})
    inside(v);
}

/// What is answered can be read by whom it is for, and says of the request what the request said.
void check_answer(const message& request) {
  int status = request.fault().status != 0 ? request.fault().status : 200;
  std::string lines;
  if (request.fault().status == 0)
    if (auto refusal = check_request(request, {})) {
      status = refusal->status;
      lines = refusal->lines;
    }
  std::string text;
  message_writer out(text);
  out.response_head(request, status, {}, "fuzz", {"192.0.2.1", 5060});
  out.raw(lines);
  out.end();
  message answer;
  auto verdict = answer.parse(text);
  if (request.fault().status != 0)
    return;
  require(verdict == parse_verdict::good);
  require(answer.status() == status);
  require(answer.call_id() == request.call_id());
  require(answer.from_tag() == request.from_tag());
  require(answer.via().branch == request.via().branch);
  require(answer.cseq_number() == request.cseq_number());
  require(!answer.to_tag().empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static message m;
  for (bool datagram : {true, false}) {
    auto verdict = m.parse(bytes, datagram);
    require((verdict == parse_verdict::faulty) ==
            (m.fault().status != 0 && verdict != parse_verdict::garbage));
    check_views(m, bytes);
    if (verdict == parse_verdict::good || (verdict == parse_verdict::faulty && m.answerable()))
      if (m.is_request())
        check_answer(m);
  }
  return 0;
}
