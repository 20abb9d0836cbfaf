#pragma once

#include <atomic>
#include <memory>

#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "app/http/message_source.hpp"

namespace jackfield::http {

/// Counts how many of something there are.
class counted {
public:
  explicit counted(std::atomic<size_t>& all) : all_(&all) { ++*all_; }
  counted(counted&& other) noexcept : all_(std::exchange(other.all_, nullptr)) {}
  counted& operator=(counted&&) = delete;
  ~counted() {
    if (all_ != nullptr)
      --*all_;
  }

private:
  std::atomic<size_t>* all_;
};

/// Answers `request`, which asks for a WebSocket, and tells the client what the source has, for as
/// long as both are there: a client that does not answer pings is gone after half a minute, and one
/// that does not read gets no next message. What it says is read and left.
void open_web_socket(boost::beast::tcp_stream stream, counted connection,
                     const boost::beast::http::request<boost::beast::http::string_body>& request,
                     opened_socket how);

} // namespace jackfield::http
