"""The join screen: the chats that are found, and each way into one of them."""
