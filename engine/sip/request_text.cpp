#include "engine/sip/request_text.hpp"

#include <charconv>

namespace jackfield::sip {

void append_number(std::string& out, uint64_t n) {
  std::array<char, 20> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

std::string& scratch_text() {
  thread_local std::string text;
  text.clear();
  return text;
}

void append_body(std::string& out, std::string_view body, std::string_view content_type) {
  if (body.empty()) {
    out += "Content-Length: 0\r\n\r\n";
    return;
  }
  append(out, "Content-Type: ", content_type, "\r\nContent-Length: ");
  append_number(out, body.size());
  append(out, "\r\n\r\n", body);
}

void append_request(std::string& out, const ua_profile& profile, const request_text& r) {
  auto name = r.method_name.empty() ? to_string(r.what) : r.method_name;
  auto branch = r.branch.text();
  append(out, name, " ", r.uri, " SIP/2.0\r\nVia: ", profile.via,
         profile.rport ? ";rport;branch=" : ";branch=", view(branch), "\r\n");
  if (!r.route.empty())
    append(out, "Route: ", r.route, "\r\n");
  append(out, "Max-Forwards: ");
  append_number(out, r.max_forwards);
  append(out, "\r\nFrom: ", r.from);
  if (!r.from_tag.empty())
    append(out, ";tag=", r.from_tag);
  append(out, "\r\nTo: ", r.to);
  if (!r.to_tag.empty())
    append(out, ";tag=", r.to_tag);
  append(out, "\r\nCall-ID: ", r.call_id, "\r\nCSeq: ");
  append_number(out, r.cseq);
  append(out, " ", name, "\r\n");
  if (!r.contact.empty())
    append(out, "Contact: ", r.contact, "\r\n");
  if (r.capabilities) {
    append(out, "Allow: ", profile.allow.text(), "\r\n");
    if (!profile.supported.empty())
      append(out, "Supported: ", profile.supported, "\r\n");
  }
  if (!profile.user_agent.empty())
    append(out, "User-Agent: ", profile.user_agent, "\r\n");
  append(out, r.credentials, r.headers);
  append_body(out, r.body, r.content_type);
}

} // namespace jackfield::sip
