#include "engine/sip/session_body.hpp"

#include "engine/sip/fields.hpp"
#include "engine/sip/multipart.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

constexpr std::string_view sdp = "application/sdp";

/// It stands as it is (RFC 2045 §6.2).
bool is_plain(std::string_view transfer_encoding) {
  return transfer_encoding.empty() || iequals(transfer_encoding, "7bit") ||
         iequals(transfer_encoding, "8bit") || iequals(transfer_encoding, "binary");
}

} // namespace

session_body session_body_of(const message& m) {
  const session_body whole{m.body(), m.first(header::content_type)};
  if (whole.text.empty() || iequals(whole.content_type, sdp))
    return whole;
  const auto type = parse_media_type(whole.content_type);
  if (!type || type->is(sdp))
    return whole;
  bool optional = is_optional(m.first(header::content_disposition));
  if (iequals(type->type, "multipart"))
    if (const auto parts = split_multipart(whole.content_type, whole.text)) {
      for (const auto& part : *parts)
        if (const auto media = parse_media_type(part.content_type);
            media && media->is(sdp) && is_plain(part.content_transfer_encoding))
          return {part.body, part.content_type};
      optional = optional || are_optional(*parts);
    }
  return optional ? session_body{} : whole;
}

} // namespace jackfield::sip
