#include <algorithm>
#include <memory>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/invite_client.hpp"
#include "engine/sip/invite_client_setup.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/session_body.hpp"

// The early dialogs of a call that we make.

namespace jackfield::sip {
namespace {

/// A response longer than this does not make an early dialog.
constexpr size_t max_early_text = 16'384;

/// RSeq of a reliable provisional response (RFC 3262 §4); 0 for any other.
[[nodiscard]] uint32_t reliable_number(const message& m) {
  if (!m.has(header::rseq) || !has_option(m, header::require, "100rel"))
    return 0;
  return static_cast<uint32_t>(parse_uint(m.first(header::rseq), UINT32_MAX).value_or(0));
}

} // namespace

unsigned invite_client::fork_of(const message& m) {
  if (m.to_tag().empty())
    return 0;
  auto& forks = setup_->forks;
  auto tag = hash_of_tag(m.to_tag());
  auto at = std::find_if(forks.begin(), forks.end(), [tag](auto& f) { return f.tag == tag; });
  if (at == forks.end() && forks.size() < std::min(profile_->max_forks, session::max_forks)) {
    forks.emplace_back().tag = tag;
    at = forks.end() - 1;
  }
  return static_cast<unsigned>(at - forks.begin());
}

bool invite_client::take_provisional(time_point now, const message& m, unsigned fork,
                                     bool& needs_answer, ua_sink& sink) {
  auto& s = *setup_;
  auto& f = s.forks[fork];
  // The first counts (§12.1.2), but one without Contact says nothing of where to go.
  auto has_target = m.has(header::contact);
  if (!f.early && m.bytes().size() <= max_early_text &&
      (f.text.empty() || (has_target && !f.has_target))) {
    f.text = m.bytes();
    f.has_target = has_target;
  }
  auto rseq = reliable_number(m);
  auto* dialog = rseq == 0 ? nullptr : early(fork);
  if (dialog == nullptr)
    return true;
  if (f.rseq != 0 && rseq != f.rseq + 1) {
    if (rseq <= f.rseq)
      dialog->repeat_prack(context(now, sink), rseq, s.cseq);
    return false;
  }
  if (s.body.empty() && !session_body_of(m).text.empty() && !f.answered) {
    needs_answer = true;
    f.owed = f.rseq = rseq;
    return true;
  }
  if (!dialog->send_prack(context(now, sink), rseq, s.cseq, {}, {}))
    return false;
  f.rseq = rseq;
  if (!session_body_of(m).text.empty()) {
    f.answered = true;
    dialog->allow_offers();
  }
  return true;
}

session* invite_client::early(unsigned fork) {
  if (!setup_ || fork >= setup_->forks.size())
    return nullptr;
  auto& s = *setup_;
  auto& f = s.forks[fork];
  if (!f.early && !f.text.empty()) {
    message m;
    if (m.parse(f.text) == parse_verdict::good)
      if (auto d = dialog::from_response(id_, m, s.uri_text(), s.cseq); d.valid()) {
        f.early = std::make_unique<session>(std::move(d), true, s.contact, fork);
        f.early->begin_early(s.body.empty() ? 500 : 491);
      }
    release(f.text);
  }
  return f.early.get();
}

/// No dialog is confirmed yet; an early one has the rights of a session that is not to end by them.
void invite_client::on_early_request(time_point now, const message& m, ua_sink& sink) {
  auto tag = id_.text();
  auto what = m.request_method();
  if (what == method::ack)
    return;
  auto ours = setup_ && setup_->sent && m.call_id() == view(tag) && m.to_tag() == view(tag);
  auto status = 481;
  if (ours) {
    auto& forks = setup_->forks;
    auto at = std::find_if(forks.begin(), forks.end(),
                           [t = hash_of_tag(m.from_tag())](auto& f) { return f.tag == t; });
    if (what == method::bye) {
      status = at != forks.end() || forks.empty() ? 200 : 481;
    } else if (at != forks.end()) {
      if (auto* dialog = early(static_cast<unsigned>(at - forks.begin()))) {
        dialog->on_request(context(now, sink), m);
        return;
      }
    }
  }
  auto head = make_response_head(m, view(tag), sink.source());
  auto& text = scratch_text();
  append_response(text, *profile_, head, {.status = status});
  sink.send({text, send_rank::response, send_to::request_source, {}, what, status, false});
  // A called party must not hang up an early dialog (§15), but its 2xx may have been lost until it
  // gave up waiting for the ACK.
  if (what == method::bye && status == 200 && setup_->forks.size() <= 1)
    end(end_cause::remote_bye, 0, &m, sink);
}

// -- commands -----

uint32_t invite_client::send_request(time_point now, method what, std::string_view body,
                                     ua_sink& sink, std::string_view content_type,
                                     std::string_view headers, unsigned fork) {
  if (!setup_)
    return leg_core::send_request(now, what, body, sink, content_type, headers);
  auto* dialog = setup_->hang_up ? nullptr : early(fork);
  if (dialog == nullptr || !is_safe_header_lines(headers) || !is_safe_value(content_type))
    return 0;
  return dialog->send_request(context(now, sink), what, headers, body, content_type);
}

bool invite_client::answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                                   std::string_view headers, std::string_view body,
                                   std::string_view content_type) {
  if (!setup_)
    return leg_core::answer_request(now, number, status, sink, headers, body, content_type);
  auto* dialog = early(session::fork_of(number));
  return dialog != nullptr && is_safe_header_lines(headers) && is_safe_value(content_type) &&
         dialog->answer_request(context(now, sink), number, status, headers, body, content_type);
}

bool invite_client::defer_request(time_point now, uint32_t number, ua_sink& sink) {
  if (!setup_)
    return leg_core::defer_request(now, number, sink);
  auto* dialog = early(session::fork_of(number));
  return dialog != nullptr && dialog->defer_request(context(now, sink), number);
}

bool invite_client::acknowledge(time_point now, std::string_view body, ua_sink& sink,
                                std::string_view content_type, unsigned fork) {
  if (!setup_)
    return leg_core::acknowledge(now, body, sink, content_type);
  auto* dialog = early(fork);
  if (dialog == nullptr || !is_safe_value(content_type) || setup_->forks[fork].owed == 0)
    return false;
  auto& f = setup_->forks[fork];
  if (!dialog->send_prack(context(now, sink), f.owed, setup_->cseq, body, content_type))
    return false;
  f.owed = 0;
  f.answered = true;
  dialog->allow_offers();
  return true;
}

bool invite_client::answer_offer(time_point now, std::string_view body, ua_sink& sink,
                                 std::string_view content_type, std::string_view headers,
                                 unsigned fork) {
  if (!setup_)
    return leg_core::answer_offer(now, body, sink, content_type, headers);
  auto* dialog = early(fork);
  return dialog != nullptr && is_safe_header_lines(headers) && is_safe_value(content_type) &&
         dialog->answer_offer(context(now, sink), headers, body, content_type);
}

bool invite_client::refuse_offer(time_point now, int status, ua_sink& sink, unsigned fork) {
  if (!setup_)
    return leg_core::refuse_offer(now, status, sink);
  auto* dialog = early(fork);
  return dialog != nullptr && dialog->refuse_offer(context(now, sink), status);
}

} // namespace jackfield::sip
