#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/lane/endpoint.hpp"

namespace jackfield::transport {

/// What name servers of tests say (RFC 1035): records, questions and answers.

enum rr_type : uint16_t { a = 1, aaaa = 28, srv = 33, naptr = 35 };

inline std::string u16(unsigned x) {
  return {static_cast<char>(x >> 8U), static_cast<char>(x)};
}
inline std::string u32(uint32_t x) {
  return u16(x >> 16U) + u16(x & 0xffffU);
}

inline std::string dns_name(std::string_view name) {
  std::string out;
  while (!name.empty() && name != ".") {
    const auto label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return out + '\0';
}

inline std::string character_string(std::string_view text) {
  return static_cast<char>(text.size()) + std::string{text};
}

/// Data of one record.
struct record {
  rr_type type;
  std::string data;
  uint32_t ttl = 300;
};

inline record address(std::string_view text) {
  const auto e = lane::endpoint::parse(text, 0).value();
  sockaddr_storage raw{};
  e.to_sockaddr(raw);
  if (e.is_v4())
    return {a, std::string{
                 reinterpret_cast<const char*>(&reinterpret_cast<sockaddr_in&>(raw).sin_addr), 4}};
  return {aaaa,
          std::string{
            reinterpret_cast<const char*>(&reinterpret_cast<sockaddr_in6&>(raw).sin6_addr), 16}};
}

inline record server(unsigned priority, unsigned weight, unsigned port, std::string_view host) {
  return {srv, u16(priority) + u16(weight) + u16(port) + dns_name(host)};
}

inline record service(unsigned order, unsigned preference, std::string_view what,
                      std::string_view replacement) {
  return {naptr, u16(order) + u16(preference) + character_string("s") + character_string(what) +
                   character_string("") + dns_name(replacement)};
}

/// By the names that have them.
using record_table = std::multimap<std::string, record>;

/// The only question of a query.
struct dns_question {
  std::string id;
  std::string name;
  rr_type type;
  std::string text; ///< as in the query
};

inline std::optional<dns_question> read_question(const std::string& query) {
  constexpr size_t header = 12;
  dns_question out;
  auto at = header;
  for (; at < query.size() && query[at] != 0;) {
    const size_t size = static_cast<unsigned char>(query[at]);
    if (at + 1 + size > query.size())
      return std::nullopt;
    out.name += (out.name.empty() ? "" : ".") + query.substr(at + 1, size);
    at += size + 1;
  }
  if (at + 5 > query.size())
    return std::nullopt;
  out.id = query.substr(0, 2);
  out.type = static_cast<rr_type>(static_cast<unsigned char>(query[at + 1]) * 256 +
                                  static_cast<unsigned char>(query[at + 2]));
  out.text = query.substr(header, at + 5 - header);
  return out;
}

inline std::string dns_message(const std::string& id, const std::string& question,
                               const std::vector<record>& answers, bool exists = true) {
  std::string out = id + u16(exists ? 0x8580 : 0x8583) + u16(1) +
                    u16(static_cast<unsigned>(answers.size())) + u16(0) + u16(0) + question;
  for (const record& r : answers)
    out += u16(0xc00c) + u16(r.type) + u16(1) + u32(r.ttl) +
           u16(static_cast<unsigned>(r.data.size())) + r.data;
  return out;
}

/// What is not in the table does not exist.
inline std::string answer_from(const record_table& table, const dns_question& question) {
  std::vector<record> answers;
  bool exists = false;
  for (const auto& [owner, r] : table)
    if (owner == question.name) {
      exists = true;
      if (r.type == question.type)
        answers.push_back(r);
    }
  return dns_message(question.id, question.text, answers, exists);
}

} // namespace jackfield::transport
