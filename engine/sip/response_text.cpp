#include "engine/sip/response_text.hpp"

#include "engine/sip/message_writer.hpp"
#include "engine/sip/request_text.hpp"

namespace jackfield::sip {

response_head make_response_head(const message& request, std::string_view to_tag,
                                 const packet_source& from) {
  response_head head;
  auto& out = head.fields;
  out.reserve(512);
  // The status is of each response; a failure's head has no Record-Route.
  message_writer(out).response_head(request, 400, "-", to_tag, from);
  out.erase(0, out.find('\n') + 1);
  if (request.has(header::record_route))
    for (auto& field : request.fields())
      if (field.id == header::record_route) {
        append(head.record_route, "Record-Route: ");
        for (char c : field.value)
          head.record_route += c == '\r' || c == '\n' ? ' ' : c;
        head.record_route += "\r\n";
      }
  return head;
}

void append_response(std::string& out, const ua_profile& profile, const response_head& head,
                     const response_text& r) {
  out += "SIP/2.0 ";
  append_number(out, static_cast<uint64_t>(r.status));
  append(out, " ", reason_phrase(r.status), "\r\n", head.fields);
  if (r.record_route)
    out += head.record_route;
  if (!r.contact.empty())
    append(out, "Contact: ", r.contact, "\r\n");
  if (r.capabilities) {
    append(out, "Allow: ", profile.allow.text(), "\r\n");
    if (!profile.supported.empty())
      append(out, "Supported: ", profile.supported, "\r\n");
  }
  if (!profile.user_agent.empty())
    append(out, "Server: ", profile.user_agent, "\r\n");
  out += r.headers;
  append_body(out, r.body, r.content_type);
}

} // namespace jackfield::sip
