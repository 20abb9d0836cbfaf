#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/sip/leg_id.hpp"
#include "engine/sip/method.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// What a request of ours is made of. Values go out as they are: who gives them has checked them.
struct request_text {
  method what = method::unknown;
  std::string_view method_name; // empty: of `what`
  std::string_view uri;
  branch_id branch;
  std::string_view route; // Route values separated by commas; empty: none
  std::string_view from, from_tag;
  std::string_view to, to_tag; // empty tags: the value has its own, or none
  std::string_view call_id;
  uint32_t cseq = 0;
  unsigned max_forwards = 70;   // RFC 3261 §8.1.1.6
  std::string_view contact;     // whole value; empty: none
  bool capabilities = false;    // Allow and Supported of the profile
  std::string_view credentials; // whole lines
  std::string_view headers;     // whole lines
  std::string_view body = {};
  std::string_view content_type = {};
};

/// Appends the message.
void append_request(std::string& out, const ua_profile& profile, const request_text& r);

/// Appends Content-Type (if there is a body), Content-Length, the empty line and the body.
void append_body(std::string& out, std::string_view body, std::string_view content_type);

void append_number(std::string& out, uint64_t n);

/// Empties the text and gives its memory back.
inline void release(std::string& text) noexcept {
  std::string().swap(text);
}

/// An empty buffer of the thread's for a message that is sent at once; good until the next call.
[[nodiscard]] std::string& scratch_text();

template <class... Texts>
void append(std::string& out, const Texts&... texts) {
  (out.append(std::string_view(texts)), ...);
}

template <size_t N>
[[nodiscard]] std::string_view view(const std::array<char, N>& text) noexcept {
  return {text.data(), N};
}

} // namespace jackfield::sip
