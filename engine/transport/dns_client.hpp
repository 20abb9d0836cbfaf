#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/lane/lane.hpp"
#include "engine/transport/resolver.hpp"
#include "engine/transport/target_selection.hpp"

struct ares_channeldata;

namespace jackfield::transport {

/// What DNS said to one question. Only what was asked for is filled.
struct dns_answer {
  std::vector<naptr_record> services;
  std::vector<srv_record> servers;
  std::vector<lane::endpoint> addresses; // IPv4 first; port 0
  /// Empty: DNS answered, be it that there is no such name or record.
  std::string failure;
};

/// Asks DNS through c-ares on a lane, and remembers. c-ares compares an answer's identifier,
/// question and source with what was asked and draws identifiers at random.
class dns_client {
public:
  enum class kind : uint8_t { naptr, srv, address };
  using callback = std::function<void(const dns_answer&)>;

  dns_client(lane::lane& home, const resolver_settings& settings);
  /// Forgets all questions; nobody is called.
  ~dns_client();
  dns_client(const dns_client&) = delete;
  dns_client& operator=(const dns_client&) = delete;

  /// Calls `done` before it returns if the answer is known, else later, once.
  void ask(kind what, const std::string& name, callback done);
  void add_host(const std::string& name, std::vector<lane::endpoint> addresses);
  /// True for a name that does not come from DNS: localhost (RFC 6761), told by `add_host`, or in
  /// /etc/hosts, unless servers were given. `ask` answers it at once.
  [[nodiscard]] bool is_local(const std::string& name);
  [[nodiscard]] size_t remembered() const noexcept { return cache_.size(); }

private:
  static constexpr size_t max_questions = 4096;

  /// A question under way: what c-ares hands back to us.
  struct question {
    dns_client* owner;
    kind what;
    std::string key;
    std::vector<callback> waiting;
    dns_answer answer;
    lane::duration ttl;
  };
  struct entry {
    dns_answer answer;
    lane::time_point expires;
  };
  struct hooks;

  result<void> start();
  [[nodiscard]] std::vector<lane::endpoint> local_addresses(const std::string& name);
  void answered(question& q);
  void remember(const question& q);
  void process(int readable, int writable);
  void deliver();
  void schedule();

  lane::lane& home_;
  const resolver_settings settings_;
  ares_channeldata* channel_ = nullptr;
  bool ending_ = false;
  std::string unusable_; // why no question can be asked
  lane::timer timer_;
  lane::timer deliverer_;
  std::unordered_map<std::string, std::unique_ptr<question>> questions_;
  std::vector<std::unique_ptr<question>> finished_;
  std::unordered_map<std::string, entry> cache_;
  std::unordered_map<std::string, std::vector<lane::endpoint>> hosts_;
};

} // namespace jackfield::transport
