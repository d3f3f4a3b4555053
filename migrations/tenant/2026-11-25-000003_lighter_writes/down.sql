ALTER TABLE conversation RESET (fillfactor);
DROP INDEX delivery_message;
CREATE INDEX delivery_turn ON delivery (turn_id);
ALTER TABLE delivery
    ADD CONSTRAINT delivery_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversation ON DELETE CASCADE,
    ADD CONSTRAINT delivery_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES turn ON DELETE CASCADE;
ALTER TABLE message ADD CONSTRAINT message_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES turn ON DELETE CASCADE;
