// Written by `cargo xtask gen` from the catalogue of a migrated database; do not edit.
import type { Result } from "./results.js";

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      ai_jobs: {
        Row: {
          available_at: string;
          created_at: string;
          created_by_user_id: string | null;
          error_code: string | null;
          failed: number;
          finished_at: string | null;
          id: string;
          kind: Database["public"]["Enums"]["ai_job_kind"];
          model: string | null;
          only_matching: boolean;
          org_id: string;
          outages: number;
          provider: string | null;
          scored: number;
          segment_id: string;
          segment_version: number;
          started_at: string | null;
          status: Database["public"]["Enums"]["ai_job_status"];
          threshold: number;
          total: number;
          updated_at: string;
        };
        Insert: {
          available_at?: string;
          created_at?: string;
          created_by_user_id?: string | null;
          error_code?: string | null;
          failed?: number;
          finished_at?: string | null;
          id?: string;
          kind: Database["public"]["Enums"]["ai_job_kind"];
          model?: string | null;
          only_matching?: boolean;
          org_id: string;
          outages?: number;
          provider?: string | null;
          scored?: number;
          segment_id: string;
          segment_version: number;
          started_at?: string | null;
          status?: Database["public"]["Enums"]["ai_job_status"];
          threshold: number;
          total?: number;
          updated_at?: string;
        };
        Update: {
          available_at?: string;
          created_at?: string;
          created_by_user_id?: string | null;
          error_code?: string | null;
          failed?: number;
          finished_at?: string | null;
          id?: string;
          kind?: Database["public"]["Enums"]["ai_job_kind"];
          model?: string | null;
          only_matching?: boolean;
          org_id?: string;
          outages?: number;
          provider?: string | null;
          scored?: number;
          segment_id?: string;
          segment_version?: number;
          started_at?: string | null;
          status?: Database["public"]["Enums"]["ai_job_status"];
          threshold?: number;
          total?: number;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "ai_jobs_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "ai_jobs_segment_id_fkey"; columns: ["org_id", "segment_id"]; isOneToOne: false; referencedRelation: "crm_segments"; referencedColumns: ["org_id", "id"] },
        ];
      };
      ai_settings: {
        Row: {
          assistant_percent: number;
          created_at: string;
          is_enabled: boolean;
          monthly_budget_micros: number;
          org_id: string;
          redact: boolean;
          updated_at: string;
        };
        Insert: {
          assistant_percent?: number;
          created_at?: string;
          is_enabled?: boolean;
          monthly_budget_micros?: number;
          org_id?: string;
          redact?: boolean;
          updated_at?: string;
        };
        Update: {
          assistant_percent?: number;
          created_at?: string;
          is_enabled?: boolean;
          monthly_budget_micros?: number;
          org_id?: string;
          redact?: boolean;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "ai_settings_org_id_fkey"; columns: ["org_id"]; isOneToOne: true; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      ai_usage: {
        Row: {
          cost_micros: number;
          created_at: string;
          estimated_micros: number;
          feature: Database["public"]["Enums"]["ai_feature"];
          id: string;
          input_tokens: number | null;
          model: string;
          org_id: string;
          output_tokens: number | null;
          provider: string;
          settled_at: string | null;
        };
        Insert: {
          cost_micros: number;
          created_at?: string;
          estimated_micros: number;
          feature: Database["public"]["Enums"]["ai_feature"];
          id?: string;
          input_tokens?: number | null;
          model: string;
          org_id: string;
          output_tokens?: number | null;
          provider: string;
          settled_at?: string | null;
        };
        Update: {
          cost_micros?: number;
          created_at?: string;
          estimated_micros?: number;
          feature?: Database["public"]["Enums"]["ai_feature"];
          id?: string;
          input_tokens?: number | null;
          model?: string;
          org_id?: string;
          output_tokens?: number | null;
          provider?: string;
          settled_at?: string | null;
        };
        Relationships: [
          { foreignKeyName: "ai_usage_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      attachments: {
        Row: {
          bucket_id: string;
          content_type: string | null;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          file_name: string;
          id: string;
          interaction_id: string | null;
          object_name: string;
          org_id: string;
          size_bytes: number | null;
          work_order_id: string | null;
        };
        Insert: {
          bucket_id?: string;
          content_type?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          file_name: string;
          id?: string;
          interaction_id?: string | null;
          object_name: string;
          org_id?: string;
          size_bytes?: number | null;
          work_order_id?: string | null;
        };
        Update: {
          bucket_id?: string;
          content_type?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          file_name?: string;
          id?: string;
          interaction_id?: string | null;
          object_name?: string;
          org_id?: string;
          size_bytes?: number | null;
          work_order_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "attachments_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "attachments_interaction_id_fkey"; columns: ["org_id", "customer_id", "interaction_id"]; isOneToOne: false; referencedRelation: "crm_interactions"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "attachments_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "attachments_work_order_id_fkey"; columns: ["org_id", "customer_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      audit_log: {
        Row: {
          action: string;
          created_at: string;
          customer_id: string | null;
          id: string;
          ip: string | null;
          new_values: Json | null;
          old_values: Json | null;
          org_id: string;
          record_id: string;
          request_id: string | null;
          table_name: string;
          user_agent: string | null;
          user_id: string | null;
        };
        Insert: {
          action: string;
          created_at?: string;
          customer_id?: string | null;
          id?: string;
          ip?: string | null;
          new_values?: Json | null;
          old_values?: Json | null;
          org_id: string;
          record_id: string;
          request_id?: string | null;
          table_name: string;
          user_agent?: string | null;
          user_id?: string | null;
        };
        Update: {
          action?: string;
          created_at?: string;
          customer_id?: string | null;
          id?: string;
          ip?: string | null;
          new_values?: Json | null;
          old_values?: Json | null;
          org_id?: string;
          record_id?: string;
          request_id?: string | null;
          table_name?: string;
          user_agent?: string | null;
          user_id?: string | null;
        };
        Relationships: [];
      };
      blackout_days: {
        Row: {
          created_at: string;
          day: string;
          id: string;
          org_id: string;
          reason: string | null;
        };
        Insert: {
          created_at?: string;
          day: string;
          id?: string;
          org_id?: string;
          reason?: string | null;
        };
        Update: {
          created_at?: string;
          day?: string;
          id?: string;
          org_id?: string;
          reason?: string | null;
        };
        Relationships: [
          { foreignKeyName: "blackout_days_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      client_members: {
        Row: {
          client_id: string;
          id: string;
          joined_at: string;
          org_id: string;
          role: string;
          user_id: string;
        };
        Insert: {
          client_id: string;
          id?: string;
          joined_at?: string;
          org_id?: string;
          role?: string;
          user_id: string;
        };
        Update: {
          client_id?: string;
          id?: string;
          joined_at?: string;
          org_id?: string;
          role?: string;
          user_id?: string;
        };
        Relationships: [
          { foreignKeyName: "client_members_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "client_members_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "client_members_user_id_fkey"; columns: ["org_id", "user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      clients: {
        Row: {
          contact_info: Json;
          created_at: string;
          created_by_user_id: string | null;
          description: string | null;
          id: string;
          name: string;
          org_id: string;
          settings: Json;
          status: string;
          updated_at: string;
        };
        Insert: {
          contact_info?: Json;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          id?: string;
          name: string;
          org_id?: string;
          settings?: Json;
          status?: string;
          updated_at?: string;
        };
        Update: {
          contact_info?: Json;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          id?: string;
          name?: string;
          org_id?: string;
          settings?: Json;
          status?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "clients_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      conversations: {
        Row: {
          channel: string;
          client_id: string;
          created_at: string;
          id: string;
          last_message_at: string | null;
          lead_id: string;
          message_count: number;
          org_id: string;
          status: string;
        };
        Insert: {
          channel: string;
          client_id: string;
          created_at?: string;
          id?: string;
          last_message_at?: string | null;
          lead_id: string;
          message_count?: number;
          org_id?: string;
          status?: string;
        };
        Update: {
          channel?: string;
          client_id?: string;
          created_at?: string;
          id?: string;
          last_message_at?: string | null;
          lead_id?: string;
          message_count?: number;
          org_id?: string;
          status?: string;
        };
        Relationships: [
          { foreignKeyName: "conversations_lead_id_fkey"; columns: ["org_id", "client_id", "lead_id"]; isOneToOne: false; referencedRelation: "leads"; referencedColumns: ["org_id", "client_id", "id"] },
          { foreignKeyName: "conversations_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_access_log: {
        Row: {
          created_at: string;
          customer_id: string;
          id: string;
          ip: string | null;
          operation: string;
          org_id: string;
          request_id: string | null;
          user_agent: string | null;
          user_id: string | null;
        };
        Insert: {
          created_at?: string;
          customer_id: string;
          id?: string;
          ip?: string | null;
          operation: string;
          org_id: string;
          request_id?: string | null;
          user_agent?: string | null;
          user_id?: string | null;
        };
        Update: {
          created_at?: string;
          customer_id?: string;
          id?: string;
          ip?: string | null;
          operation?: string;
          org_id?: string;
          request_id?: string | null;
          user_agent?: string | null;
          user_id?: string | null;
        };
        Relationships: [];
      };
      crm_activities: {
        Row: {
          activity_type: string;
          client_id: string | null;
          created_at: string;
          description: string | null;
          entity_id: string;
          entity_table: string;
          entity_type: string;
          id: string;
          metadata: Json;
          org_id: string;
          user_id: string | null;
        };
        Insert: {
          activity_type: string;
          client_id?: string | null;
          created_at?: string;
          description?: string | null;
          entity_id: string;
          entity_table: string;
          entity_type: string;
          id?: string;
          metadata?: Json;
          org_id?: string;
          user_id?: string | null;
        };
        Update: {
          activity_type?: string;
          client_id?: string | null;
          created_at?: string;
          description?: string | null;
          entity_id?: string;
          entity_table?: string;
          entity_type?: string;
          id?: string;
          metadata?: Json;
          org_id?: string;
          user_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "crm_activities_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_activities_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_activities_user_id_fkey"; columns: ["org_id", "user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_automation_rules: {
        Row: {
          actions: Json;
          conditions: Json | null;
          cooldown_minutes: number | null;
          created_at: string;
          created_by_user_id: string | null;
          description: string | null;
          enabled_at: string;
          event_type: string | null;
          id: string;
          is_enabled: boolean;
          listens_to: string | null;
          max_lateness_minutes: number;
          name: string;
          org_id: string;
          reenrollment: string;
          segment_change: string;
          segment_id: string | null;
          time_offset_minutes: number | null;
          trigger_type: Database["public"]["Enums"]["automation_trigger"];
          updated_at: string;
          version: number;
        };
        Insert: {
          actions: Json;
          conditions?: Json | null;
          cooldown_minutes?: number | null;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          enabled_at?: string;
          event_type?: string | null;
          id?: string;
          is_enabled?: boolean;
          listens_to?: never;
          max_lateness_minutes?: number;
          name: string;
          org_id?: string;
          reenrollment?: string;
          segment_change?: string;
          segment_id?: string | null;
          time_offset_minutes?: number | null;
          trigger_type: Database["public"]["Enums"]["automation_trigger"];
          updated_at?: string;
          version?: number;
        };
        Update: {
          actions?: Json;
          conditions?: Json | null;
          cooldown_minutes?: number | null;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          enabled_at?: string;
          event_type?: string | null;
          id?: string;
          is_enabled?: boolean;
          listens_to?: never;
          max_lateness_minutes?: number;
          name?: string;
          org_id?: string;
          reenrollment?: string;
          segment_change?: string;
          segment_id?: string | null;
          time_offset_minutes?: number | null;
          trigger_type?: Database["public"]["Enums"]["automation_trigger"];
          updated_at?: string;
          version?: number;
        };
        Relationships: [
          { foreignKeyName: "crm_automation_rules_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_automation_rules_segment_id_fkey"; columns: ["org_id", "segment_id"]; isOneToOne: false; referencedRelation: "crm_segments"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_automation_runs: {
        Row: {
          attempts: number;
          completed_at: string | null;
          customer_id: string | null;
          due_at: string;
          error_code: string | null;
          error_message: string | null;
          event_id: string | null;
          id: string;
          matched: Json | null;
          occurrence_key: string;
          org_id: string;
          results: Json | null;
          rule_chain: string[];
          rule_id: string;
          rule_version: number;
          skip_code: string | null;
          skip_reason: string | null;
          started_at: string;
          status: Database["public"]["Enums"]["automation_run_status"];
          trigger_context: Json | null;
        };
        Insert: {
          attempts?: number;
          completed_at?: string | null;
          customer_id?: string | null;
          due_at?: string;
          error_code?: string | null;
          error_message?: string | null;
          event_id?: string | null;
          id?: string;
          matched?: Json | null;
          occurrence_key: string;
          org_id: string;
          results?: Json | null;
          rule_chain?: string[];
          rule_id: string;
          rule_version: number;
          skip_code?: string | null;
          skip_reason?: string | null;
          started_at?: string;
          status?: Database["public"]["Enums"]["automation_run_status"];
          trigger_context?: Json | null;
        };
        Update: {
          attempts?: number;
          completed_at?: string | null;
          customer_id?: string | null;
          due_at?: string;
          error_code?: string | null;
          error_message?: string | null;
          event_id?: string | null;
          id?: string;
          matched?: Json | null;
          occurrence_key?: string;
          org_id?: string;
          results?: Json | null;
          rule_chain?: string[];
          rule_id?: string;
          rule_version?: number;
          skip_code?: string | null;
          skip_reason?: string | null;
          started_at?: string;
          status?: Database["public"]["Enums"]["automation_run_status"];
          trigger_context?: Json | null;
        };
        Relationships: [
          { foreignKeyName: "crm_automation_runs_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_automation_runs_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_automation_runs_rule_id_fkey"; columns: ["org_id", "rule_id"]; isOneToOne: false; referencedRelation: "crm_automation_rules"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_customer_tags: {
        Row: {
          assigned_by_user_id: string | null;
          created_at: string;
          customer_id: string;
          id: string;
          org_id: string;
          tag_id: string;
        };
        Insert: {
          assigned_by_user_id?: string | null;
          created_at?: string;
          customer_id: string;
          id?: string;
          org_id?: string;
          tag_id: string;
        };
        Update: {
          assigned_by_user_id?: string | null;
          created_at?: string;
          customer_id?: string;
          id?: string;
          org_id?: string;
          tag_id?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_customer_tags_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_customer_tags_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_customer_tags_tag_id_fkey"; columns: ["org_id", "tag_id"]; isOneToOne: false; referencedRelation: "crm_tags"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_events: {
        Row: {
          created_at: string;
          customer_id: string | null;
          event_key: string;
          event_type: string;
          id: string;
          occurred_at: string;
          org_id: string;
          payload: Json;
          rule_chain: string[];
        };
        Insert: {
          created_at?: string;
          customer_id?: string | null;
          event_key: string;
          event_type: string;
          id?: string;
          occurred_at?: string;
          org_id: string;
          payload?: Json;
          rule_chain?: string[];
        };
        Update: {
          created_at?: string;
          customer_id?: string | null;
          event_key?: string;
          event_type?: string;
          id?: string;
          occurred_at?: string;
          org_id?: string;
          payload?: Json;
          rule_chain?: string[];
        };
        Relationships: [
          { foreignKeyName: "crm_events_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_events_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_followups: {
        Row: {
          assigned_to_user_id: string | null;
          completed_at: string | null;
          completion_notes: string | null;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          dedupe_key: string | null;
          description: string | null;
          due_at: string;
          evidence: Json | null;
          id: string;
          org_id: string;
          origin: Database["public"]["Enums"]["followup_origin"];
          overdue_notified_at: string | null;
          priority: Database["public"]["Enums"]["followup_priority"];
          related_interaction_id: string | null;
          related_work_order_id: string | null;
          remind_at: string | null;
          reminded_at: string | null;
          status: Database["public"]["Enums"]["followup_status"];
          title: string;
          updated_at: string;
        };
        Insert: {
          assigned_to_user_id?: string | null;
          completed_at?: string | null;
          completion_notes?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          dedupe_key?: string | null;
          description?: string | null;
          due_at: string;
          evidence?: Json | null;
          id?: string;
          org_id?: string;
          origin?: Database["public"]["Enums"]["followup_origin"];
          overdue_notified_at?: string | null;
          priority?: Database["public"]["Enums"]["followup_priority"];
          related_interaction_id?: string | null;
          related_work_order_id?: string | null;
          remind_at?: string | null;
          reminded_at?: string | null;
          status?: Database["public"]["Enums"]["followup_status"];
          title: string;
          updated_at?: string;
        };
        Update: {
          assigned_to_user_id?: string | null;
          completed_at?: string | null;
          completion_notes?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          dedupe_key?: string | null;
          description?: string | null;
          due_at?: string;
          evidence?: Json | null;
          id?: string;
          org_id?: string;
          origin?: Database["public"]["Enums"]["followup_origin"];
          overdue_notified_at?: string | null;
          priority?: Database["public"]["Enums"]["followup_priority"];
          related_interaction_id?: string | null;
          related_work_order_id?: string | null;
          remind_at?: string | null;
          reminded_at?: string | null;
          status?: Database["public"]["Enums"]["followup_status"];
          title?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_followups_assigned_to_user_id_fkey"; columns: ["org_id", "assigned_to_user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_followups_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_followups_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_followups_related_interaction_id_fkey"; columns: ["org_id", "customer_id", "related_interaction_id"]; isOneToOne: false; referencedRelation: "crm_interactions"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "crm_followups_related_work_order_id_fkey"; columns: ["org_id", "customer_id", "related_work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      crm_interactions: {
        Row: {
          body: string | null;
          channel: Database["public"]["Enums"]["interaction_channel"];
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          direction: Database["public"]["Enums"]["interaction_direction"] | null;
          follow_up_date: string | null;
          id: string;
          location_id: string | null;
          metadata: Json | null;
          occurred_at: string;
          org_id: string;
          related_quote_id: string | null;
          related_work_order_id: string | null;
          sentiment: Database["public"]["Enums"]["sentiment"] | null;
          subject: string | null;
          summary: string | null;
          type: string | null;
        };
        Insert: {
          body?: string | null;
          channel: Database["public"]["Enums"]["interaction_channel"];
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          direction?: Database["public"]["Enums"]["interaction_direction"] | null;
          follow_up_date?: string | null;
          id?: string;
          location_id?: string | null;
          metadata?: Json | null;
          occurred_at?: string;
          org_id?: string;
          related_quote_id?: string | null;
          related_work_order_id?: string | null;
          sentiment?: Database["public"]["Enums"]["sentiment"] | null;
          subject?: string | null;
          summary?: string | null;
          type?: string | null;
        };
        Update: {
          body?: string | null;
          channel?: Database["public"]["Enums"]["interaction_channel"];
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          direction?: Database["public"]["Enums"]["interaction_direction"] | null;
          follow_up_date?: string | null;
          id?: string;
          location_id?: string | null;
          metadata?: Json | null;
          occurred_at?: string;
          org_id?: string;
          related_quote_id?: string | null;
          related_work_order_id?: string | null;
          sentiment?: Database["public"]["Enums"]["sentiment"] | null;
          subject?: string | null;
          summary?: string | null;
          type?: string | null;
        };
        Relationships: [
          { foreignKeyName: "crm_interactions_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_interactions_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "crm_interactions_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_interactions_related_quote_id_fkey"; columns: ["org_id", "related_quote_id"]; isOneToOne: false; referencedRelation: "quotes"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_interactions_related_work_order_id_fkey"; columns: ["org_id", "customer_id", "related_work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      crm_message_templates: {
        Row: {
          body: string;
          channel: Database["public"]["Enums"]["template_channel"];
          created_at: string;
          created_by_user_id: string | null;
          id: string;
          is_system: boolean;
          name: string;
          org_id: string;
          subject: string | null;
          updated_at: string;
          variables: Json | null;
        };
        Insert: {
          body: string;
          channel: Database["public"]["Enums"]["template_channel"];
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          is_system?: boolean;
          name: string;
          org_id?: string;
          subject?: string | null;
          updated_at?: string;
          variables?: Json | null;
        };
        Update: {
          body?: string;
          channel?: Database["public"]["Enums"]["template_channel"];
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          is_system?: boolean;
          name?: string;
          org_id?: string;
          subject?: string | null;
          updated_at?: string;
          variables?: Json | null;
        };
        Relationships: [
          { foreignKeyName: "crm_message_templates_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_messaging_settings: {
        Row: {
          allow_unverified_marketing: boolean;
          created_at: string;
          from_email: string | null;
          from_name: string | null;
          from_phone: string | null;
          marketing_cap_count: number | null;
          marketing_cap_hours: number | null;
          org_id: string;
          quiet_hours_end: string | null;
          quiet_hours_start: string | null;
          reply_to_email: string | null;
          suppression_segment_id: string | null;
          updated_at: string;
          whatsapp_phone_number_id: string | null;
        };
        Insert: {
          allow_unverified_marketing?: boolean;
          created_at?: string;
          from_email?: string | null;
          from_name?: string | null;
          from_phone?: string | null;
          marketing_cap_count?: number | null;
          marketing_cap_hours?: number | null;
          org_id?: string;
          quiet_hours_end?: string | null;
          quiet_hours_start?: string | null;
          reply_to_email?: string | null;
          suppression_segment_id?: string | null;
          updated_at?: string;
          whatsapp_phone_number_id?: string | null;
        };
        Update: {
          allow_unverified_marketing?: boolean;
          created_at?: string;
          from_email?: string | null;
          from_name?: string | null;
          from_phone?: string | null;
          marketing_cap_count?: number | null;
          marketing_cap_hours?: number | null;
          org_id?: string;
          quiet_hours_end?: string | null;
          quiet_hours_start?: string | null;
          reply_to_email?: string | null;
          suppression_segment_id?: string | null;
          updated_at?: string;
          whatsapp_phone_number_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "crm_messaging_settings_org_id_fkey"; columns: ["org_id"]; isOneToOne: true; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_messaging_settings_suppression_segment_id_fkey"; columns: ["org_id", "suppression_segment_id"]; isOneToOne: true; referencedRelation: "crm_segments"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_notifications: {
        Row: {
          body: string | null;
          created_at: string;
          customer_id: string | null;
          data: Json;
          dedupe_key: string | null;
          id: string;
          org_id: string;
          read_at: string | null;
          title: string;
          type: string;
          user_id: string;
        };
        Insert: {
          body?: string | null;
          created_at?: string;
          customer_id?: string | null;
          data?: Json;
          dedupe_key?: string | null;
          id?: string;
          org_id: string;
          read_at?: string | null;
          title: string;
          type: string;
          user_id: string;
        };
        Update: {
          body?: string | null;
          created_at?: string;
          customer_id?: string | null;
          data?: Json;
          dedupe_key?: string | null;
          id?: string;
          org_id?: string;
          read_at?: string | null;
          title?: string;
          type?: string;
          user_id?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_notifications_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_notifications_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_notifications_user_id_fkey"; columns: ["org_id", "user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_opt_outs: {
        Row: {
          address: string;
          channel: string;
          created_at: string;
          created_by_user_id: string | null;
          id: string;
          org_id: string;
          reason: string;
        };
        Insert: {
          address: string;
          channel: string;
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          org_id?: string;
          reason?: string;
        };
        Update: {
          address?: string;
          channel?: string;
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          org_id?: string;
          reason?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_opt_outs_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_outbox: {
        Row: {
          attempts: number;
          automation_run_id: string | null;
          available_at: string;
          body: string;
          channel: string;
          completed_at: string | null;
          contact_id: string | null;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string | null;
          decided_at: string | null;
          decision_code: string | null;
          decision_reason: string | null;
          dedupe_key: string | null;
          delivered_at: string | null;
          error_code: string | null;
          error_message: string | null;
          event_id: string | null;
          expires_at: string | null;
          id: string;
          is_sealed: boolean;
          lead_id: string | null;
          lease_id: string | null;
          leased_until: string | null;
          max_attempts: number;
          org_id: string;
          payload: Json | null;
          provider: string | null;
          provider_message_id: string | null;
          purpose: string;
          scheduled_at: string;
          sent_at: string | null;
          status: string;
          subject: string | null;
          template_id: string | null;
          to_address: string | null;
          updated_at: string;
          user_id: string | null;
          webhook_endpoint_id: string | null;
        };
        Insert: {
          attempts?: number;
          automation_run_id?: string | null;
          available_at?: string;
          body: string;
          channel: string;
          completed_at?: string | null;
          contact_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string | null;
          decided_at?: string | null;
          decision_code?: string | null;
          decision_reason?: string | null;
          dedupe_key?: string | null;
          delivered_at?: string | null;
          error_code?: string | null;
          error_message?: string | null;
          event_id?: string | null;
          expires_at?: string | null;
          id?: string;
          is_sealed?: boolean;
          lead_id?: string | null;
          lease_id?: string | null;
          leased_until?: string | null;
          max_attempts?: number;
          org_id: string;
          payload?: Json | null;
          provider?: string | null;
          provider_message_id?: string | null;
          purpose: string;
          scheduled_at?: string;
          sent_at?: string | null;
          status?: string;
          subject?: string | null;
          template_id?: string | null;
          to_address?: string | null;
          updated_at?: string;
          user_id?: string | null;
          webhook_endpoint_id?: string | null;
        };
        Update: {
          attempts?: number;
          automation_run_id?: string | null;
          available_at?: string;
          body?: string;
          channel?: string;
          completed_at?: string | null;
          contact_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string | null;
          decided_at?: string | null;
          decision_code?: string | null;
          decision_reason?: string | null;
          dedupe_key?: string | null;
          delivered_at?: string | null;
          error_code?: string | null;
          error_message?: string | null;
          event_id?: string | null;
          expires_at?: string | null;
          id?: string;
          is_sealed?: boolean;
          lead_id?: string | null;
          lease_id?: string | null;
          leased_until?: string | null;
          max_attempts?: number;
          org_id?: string;
          payload?: Json | null;
          provider?: string | null;
          provider_message_id?: string | null;
          purpose?: string;
          scheduled_at?: string;
          sent_at?: string | null;
          status?: string;
          subject?: string | null;
          template_id?: string | null;
          to_address?: string | null;
          updated_at?: string;
          user_id?: string | null;
          webhook_endpoint_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "crm_outbox_automation_run_id_fkey"; columns: ["org_id", "automation_run_id"]; isOneToOne: false; referencedRelation: "crm_automation_runs"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_outbox_contact_id_fkey"; columns: ["org_id", "customer_id", "contact_id"]; isOneToOne: false; referencedRelation: "customer_contacts"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "crm_outbox_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_outbox_lead_id_fkey"; columns: ["org_id", "lead_id"]; isOneToOne: false; referencedRelation: "leads"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_outbox_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_outbox_template_id_fkey"; columns: ["org_id", "template_id"]; isOneToOne: false; referencedRelation: "crm_message_templates"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_outbox_user_id_fkey"; columns: ["org_id", "user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_outbox_webhook_endpoint_id_fkey"; columns: ["org_id", "webhook_endpoint_id"]; isOneToOne: false; referencedRelation: "webhook_endpoints"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_preferences: {
        Row: {
          created_at: string;
          customer_id: string;
          do_not_call: boolean;
          do_not_contact: boolean;
          do_not_email: boolean;
          do_not_sms: boolean;
          id: string;
          notes: string | null;
          org_id: string;
          preferred_contact_window_end: string | null;
          preferred_contact_window_start: string | null;
          updated_at: string;
        };
        Insert: {
          created_at?: string;
          customer_id: string;
          do_not_call?: boolean;
          do_not_contact?: boolean;
          do_not_email?: boolean;
          do_not_sms?: boolean;
          id?: string;
          notes?: string | null;
          org_id?: string;
          preferred_contact_window_end?: string | null;
          preferred_contact_window_start?: string | null;
          updated_at?: string;
        };
        Update: {
          created_at?: string;
          customer_id?: string;
          do_not_call?: boolean;
          do_not_contact?: boolean;
          do_not_email?: boolean;
          do_not_sms?: boolean;
          id?: string;
          notes?: string | null;
          org_id?: string;
          preferred_contact_window_end?: string | null;
          preferred_contact_window_start?: string | null;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_preferences_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: true; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_preferences_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_segment_members: {
        Row: {
          created_at: string;
          customer_id: string;
          id: string;
          metadata: Json | null;
          org_id: string;
          score: number | null;
          segment_id: string;
        };
        Insert: {
          created_at?: string;
          customer_id: string;
          id?: string;
          metadata?: Json | null;
          org_id?: string;
          score?: number | null;
          segment_id: string;
        };
        Update: {
          created_at?: string;
          customer_id?: string;
          id?: string;
          metadata?: Json | null;
          org_id?: string;
          score?: number | null;
          segment_id?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_segment_members_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "crm_segment_members_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_segment_members_segment_id_fkey"; columns: ["org_id", "segment_id"]; isOneToOne: false; referencedRelation: "crm_segments"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_segment_versions: {
        Row: {
          ai_prompt: string | null;
          changed_by_user_id: string | null;
          created_at: string;
          definition: Json | null;
          id: string;
          org_id: string;
          segment_id: string;
          version: number;
        };
        Insert: {
          ai_prompt?: string | null;
          changed_by_user_id?: string | null;
          created_at?: string;
          definition?: Json | null;
          id?: string;
          org_id: string;
          segment_id: string;
          version: number;
        };
        Update: {
          ai_prompt?: string | null;
          changed_by_user_id?: string | null;
          created_at?: string;
          definition?: Json | null;
          id?: string;
          org_id?: string;
          segment_id?: string;
          version?: number;
        };
        Relationships: [
          { foreignKeyName: "crm_segment_versions_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "crm_segment_versions_segment_id_fkey"; columns: ["org_id", "segment_id"]; isOneToOne: false; referencedRelation: "crm_segments"; referencedColumns: ["org_id", "id"] },
        ];
      };
      crm_segments: {
        Row: {
          ai_explanation: string | null;
          ai_prompt: string | null;
          created_at: string;
          created_by_user_id: string | null;
          definition: Json | null;
          depends_on: string[];
          description: string | null;
          id: string;
          is_active: boolean;
          last_computed_at: string | null;
          name: string;
          org_id: string;
          recompute_at: string;
          scored_at: string | null;
          type: Database["public"]["Enums"]["segment_type"];
          updated_at: string;
          version: number;
        };
        Insert: {
          ai_explanation?: string | null;
          ai_prompt?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          definition?: Json | null;
          depends_on?: string[];
          description?: string | null;
          id?: string;
          is_active?: boolean;
          last_computed_at?: string | null;
          name: string;
          org_id?: string;
          recompute_at?: string;
          scored_at?: string | null;
          type: Database["public"]["Enums"]["segment_type"];
          updated_at?: string;
          version?: number;
        };
        Update: {
          ai_explanation?: string | null;
          ai_prompt?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          definition?: Json | null;
          depends_on?: string[];
          description?: string | null;
          id?: string;
          is_active?: boolean;
          last_computed_at?: string | null;
          name?: string;
          org_id?: string;
          recompute_at?: string;
          scored_at?: string | null;
          type?: Database["public"]["Enums"]["segment_type"];
          updated_at?: string;
          version?: number;
        };
        Relationships: [
          { foreignKeyName: "crm_segments_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      crm_tags: {
        Row: {
          color: string | null;
          created_at: string;
          description: string | null;
          id: string;
          name: string;
          name_key: string | null;
          org_id: string;
        };
        Insert: {
          color?: string | null;
          created_at?: string;
          description?: string | null;
          id?: string;
          name: string;
          name_key?: never;
          org_id?: string;
        };
        Update: {
          color?: string | null;
          created_at?: string;
          description?: string | null;
          id?: string;
          name?: string;
          name_key?: never;
          org_id?: string;
        };
        Relationships: [
          { foreignKeyName: "crm_tags_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      customer_contacts: {
        Row: {
          created_at: string;
          customer_id: string;
          id: string;
          is_primary: boolean;
          is_verified: boolean;
          notes: string | null;
          opt_in_marketing: boolean;
          opt_in_transactional: boolean;
          org_id: string;
          preferred_channel: boolean;
          type: Database["public"]["Enums"]["contact_type"];
          updated_at: string;
          value: string;
          value_raw: string | null;
        };
        Insert: {
          created_at?: string;
          customer_id: string;
          id?: string;
          is_primary?: boolean;
          is_verified?: boolean;
          notes?: string | null;
          opt_in_marketing?: boolean;
          opt_in_transactional?: boolean;
          org_id?: string;
          preferred_channel?: boolean;
          type: Database["public"]["Enums"]["contact_type"];
          updated_at?: string;
          value: string;
          value_raw?: string | null;
        };
        Update: {
          created_at?: string;
          customer_id?: string;
          id?: string;
          is_primary?: boolean;
          is_verified?: boolean;
          notes?: string | null;
          opt_in_marketing?: boolean;
          opt_in_transactional?: boolean;
          org_id?: string;
          preferred_channel?: boolean;
          type?: Database["public"]["Enums"]["contact_type"];
          updated_at?: string;
          value?: string;
          value_raw?: string | null;
        };
        Relationships: [
          { foreignKeyName: "customer_contacts_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customer_contacts_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      customer_locations: {
        Row: {
          address_line1: string;
          address_line2: string | null;
          city: string;
          country: string | null;
          created_at: string;
          customer_id: string;
          id: string;
          is_primary: boolean;
          label: string | null;
          latitude: number | null;
          longitude: number | null;
          org_id: string;
          postal_code: string | null;
          state: string | null;
          type: Database["public"]["Enums"]["location_type"];
          updated_at: string;
        };
        Insert: {
          address_line1: string;
          address_line2?: string | null;
          city: string;
          country?: string | null;
          created_at?: string;
          customer_id: string;
          id?: string;
          is_primary?: boolean;
          label?: string | null;
          latitude?: number | null;
          longitude?: number | null;
          org_id?: string;
          postal_code?: string | null;
          state?: string | null;
          type?: Database["public"]["Enums"]["location_type"];
          updated_at?: string;
        };
        Update: {
          address_line1?: string;
          address_line2?: string | null;
          city?: string;
          country?: string | null;
          created_at?: string;
          customer_id?: string;
          id?: string;
          is_primary?: boolean;
          label?: string | null;
          latitude?: number | null;
          longitude?: number | null;
          org_id?: string;
          postal_code?: string | null;
          state?: string | null;
          type?: Database["public"]["Enums"]["location_type"];
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "customer_locations_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customer_locations_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      customer_memberships: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          ends_on: string | null;
          id: string;
          membership_plan_id: string;
          org_id: string;
          starts_on: string;
          status: string;
          updated_at: string;
          visit_plan_id: string | null;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          ends_on?: string | null;
          id?: string;
          membership_plan_id: string;
          org_id?: string;
          starts_on?: string;
          status?: string;
          updated_at?: string;
          visit_plan_id?: string | null;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          ends_on?: string | null;
          id?: string;
          membership_plan_id?: string;
          org_id?: string;
          starts_on?: string;
          status?: string;
          updated_at?: string;
          visit_plan_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "customer_memberships_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customer_memberships_membership_plan_id_fkey"; columns: ["org_id", "membership_plan_id"]; isOneToOne: false; referencedRelation: "membership_plans"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customer_memberships_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "customer_memberships_visit_plan_id_fkey"; columns: ["org_id", "customer_id", "visit_plan_id"]; isOneToOne: false; referencedRelation: "visit_plans"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      customer_metrics: {
        Row: {
          balance_due: number;
          customer_id: string;
          interactions_count: number;
          jobs_count: number;
          last_interaction_at: string | null;
          last_service_at: string | null;
          negative_count: number;
          neutral_count: number;
          open_jobs_count: number;
          org_id: string;
          positive_count: number;
          total_spend: number;
          updated_at: string;
        };
        Insert: {
          balance_due?: number;
          customer_id: string;
          interactions_count?: number;
          jobs_count?: number;
          last_interaction_at?: string | null;
          last_service_at?: string | null;
          negative_count?: number;
          neutral_count?: number;
          open_jobs_count?: number;
          org_id: string;
          positive_count?: number;
          total_spend?: number;
          updated_at?: string;
        };
        Update: {
          balance_due?: number;
          customer_id?: string;
          interactions_count?: number;
          jobs_count?: number;
          last_interaction_at?: string | null;
          last_service_at?: string | null;
          negative_count?: number;
          neutral_count?: number;
          open_jobs_count?: number;
          org_id?: string;
          positive_count?: number;
          total_spend?: number;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "customer_metrics_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: true; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
        ];
      };
      customers: {
        Row: {
          archived_at: string | null;
          company_name: string | null;
          created_at: string;
          email: string | null;
          erased_at: string | null;
          external_ref: string | null;
          first_name: string | null;
          id: string;
          is_archived: boolean;
          last_name: string | null;
          lifecycle_stage: Database["public"]["Enums"]["lifecycle_stage"];
          merged_into_id: string | null;
          name: string;
          notes: string | null;
          org_id: string;
          owner: string | null;
          owner_id: string | null;
          phone: string | null;
          phone_raw: string | null;
          pipeline_stage: string;
          preferred_language: string | null;
          primary_contact_id: string | null;
          primary_location_id: string | null;
          product_id: string | null;
          source: string | null;
          status: Database["public"]["Enums"]["customer_status"];
          type: Database["public"]["Enums"]["customer_type"];
          updated_at: string;
        };
        Insert: {
          archived_at?: string | null;
          company_name?: string | null;
          created_at?: string;
          email?: string | null;
          erased_at?: string | null;
          external_ref?: string | null;
          first_name?: string | null;
          id?: string;
          is_archived?: boolean;
          last_name?: string | null;
          lifecycle_stage?: Database["public"]["Enums"]["lifecycle_stage"];
          merged_into_id?: string | null;
          name: string;
          notes?: string | null;
          org_id?: string;
          owner?: string | null;
          owner_id?: string | null;
          phone?: string | null;
          phone_raw?: string | null;
          pipeline_stage?: string;
          preferred_language?: string | null;
          primary_contact_id?: string | null;
          primary_location_id?: string | null;
          product_id?: string | null;
          source?: string | null;
          status?: Database["public"]["Enums"]["customer_status"];
          type: Database["public"]["Enums"]["customer_type"];
          updated_at?: string;
        };
        Update: {
          archived_at?: string | null;
          company_name?: string | null;
          created_at?: string;
          email?: string | null;
          erased_at?: string | null;
          external_ref?: string | null;
          first_name?: string | null;
          id?: string;
          is_archived?: boolean;
          last_name?: string | null;
          lifecycle_stage?: Database["public"]["Enums"]["lifecycle_stage"];
          merged_into_id?: string | null;
          name?: string;
          notes?: string | null;
          org_id?: string;
          owner?: string | null;
          owner_id?: string | null;
          phone?: string | null;
          phone_raw?: string | null;
          pipeline_stage?: string;
          preferred_language?: string | null;
          primary_contact_id?: string | null;
          primary_location_id?: string | null;
          product_id?: string | null;
          source?: string | null;
          status?: Database["public"]["Enums"]["customer_status"];
          type?: Database["public"]["Enums"]["customer_type"];
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "customers_merged_into_id_fkey"; columns: ["org_id", "merged_into_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customers_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "customers_owner_id_fkey"; columns: ["org_id", "owner_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "customers_primary_contact_id_fkey"; columns: ["org_id", "id", "primary_contact_id"]; isOneToOne: true; referencedRelation: "customer_contacts"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "customers_primary_location_id_fkey"; columns: ["org_id", "id", "primary_location_id"]; isOneToOne: true; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "customers_product_id_fkey"; columns: ["org_id", "product_id"]; isOneToOne: false; referencedRelation: "products"; referencedColumns: ["org_id", "id"] },
        ];
      };
      documents: {
        Row: {
          attachment_id: string | null;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          id: string;
          invoice_id: string | null;
          is_customer_visible: boolean;
          org_id: string;
          quote_id: string | null;
          title: string;
          type: string;
          updated_at: string;
          work_order_id: string | null;
        };
        Insert: {
          attachment_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          id?: string;
          invoice_id?: string | null;
          is_customer_visible?: boolean;
          org_id?: string;
          quote_id?: string | null;
          title: string;
          type: string;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Update: {
          attachment_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          id?: string;
          invoice_id?: string | null;
          is_customer_visible?: boolean;
          org_id?: string;
          quote_id?: string | null;
          title?: string;
          type?: string;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "documents_attachment_id_fkey"; columns: ["org_id", "customer_id", "attachment_id"]; isOneToOne: false; referencedRelation: "attachments"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "documents_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "documents_invoice_id_fkey"; columns: ["org_id", "invoice_id"]; isOneToOne: false; referencedRelation: "invoices"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "documents_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "documents_quote_id_fkey"; columns: ["org_id", "quote_id"]; isOneToOne: false; referencedRelation: "quotes"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "documents_work_order_id_fkey"; columns: ["org_id", "customer_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      invoices: {
        Row: {
          amount_paid: number;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          due_at: string | null;
          id: string;
          issued_at: string | null;
          notes: string | null;
          number: string;
          org_id: string;
          paid_at: string | null;
          quote_id: string | null;
          status: string;
          total: number;
          updated_at: string;
          work_order_id: string | null;
        };
        Insert: {
          amount_paid?: number;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          due_at?: string | null;
          id?: string;
          issued_at?: string | null;
          notes?: string | null;
          number: string;
          org_id?: string;
          paid_at?: string | null;
          quote_id?: string | null;
          status?: string;
          total?: number;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Update: {
          amount_paid?: number;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          due_at?: string | null;
          id?: string;
          issued_at?: string | null;
          notes?: string | null;
          number?: string;
          org_id?: string;
          paid_at?: string | null;
          quote_id?: string | null;
          status?: string;
          total?: number;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "invoices_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "invoices_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "invoices_quote_id_fkey"; columns: ["org_id", "quote_id"]; isOneToOne: false; referencedRelation: "quotes"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "invoices_work_order_id_fkey"; columns: ["org_id", "customer_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      kb_article_chunks: {
        Row: {
          article_id: string;
          chunk_index: number;
          content: string;
          created_at: string;
          embedding: string;
          heading: string | null;
          id: string;
          org_id: string | null;
          search: string | null;
          title: string;
        };
        Insert: {
          article_id: string;
          chunk_index: number;
          content: string;
          created_at?: string;
          embedding: string;
          heading?: string | null;
          id?: string;
          org_id?: string | null;
          search?: never;
          title: string;
        };
        Update: {
          article_id?: string;
          chunk_index?: number;
          content?: string;
          created_at?: string;
          embedding?: string;
          heading?: string | null;
          id?: string;
          org_id?: string | null;
          search?: never;
          title?: string;
        };
        Relationships: [
          { foreignKeyName: "kb_article_chunks_article_id_fkey"; columns: ["article_id"]; isOneToOne: false; referencedRelation: "kb_articles"; referencedColumns: ["id"] },
          { foreignKeyName: "kb_article_chunks_org_id_article_id_fkey"; columns: ["org_id", "article_id"]; isOneToOne: false; referencedRelation: "kb_articles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "kb_article_chunks_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      kb_articles: {
        Row: {
          body_markdown: string;
          category: string | null;
          created_at: string;
          created_by_user_id: string | null;
          embedded_version: number | null;
          embedding_model: string | null;
          id: string;
          is_public: boolean;
          is_published: boolean;
          org_id: string | null;
          slug: string;
          tags: string[];
          title: string;
          updated_at: string;
          updated_by_user_id: string | null;
          version: number;
        };
        Insert: {
          body_markdown: string;
          category?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          embedded_version?: number | null;
          embedding_model?: string | null;
          id?: string;
          is_public?: boolean;
          is_published?: boolean;
          org_id?: string | null;
          slug: string;
          tags?: string[];
          title: string;
          updated_at?: string;
          updated_by_user_id?: string | null;
          version?: number;
        };
        Update: {
          body_markdown?: string;
          category?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          embedded_version?: number | null;
          embedding_model?: string | null;
          id?: string;
          is_public?: boolean;
          is_published?: boolean;
          org_id?: string | null;
          slug?: string;
          tags?: string[];
          title?: string;
          updated_at?: string;
          updated_by_user_id?: string | null;
          version?: number;
        };
        Relationships: [
          { foreignKeyName: "kb_articles_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      leads: {
        Row: {
          assigned_at: string | null;
          assigned_to: string | null;
          client_id: string;
          converted_at: string | null;
          created_at: string;
          created_by_user_id: string | null;
          custom_fields: Json;
          customer_id: string | null;
          email: string | null;
          first_name: string | null;
          id: string;
          last_name: string | null;
          lead_score: number | null;
          notes: string | null;
          org_id: string;
          phone: string | null;
          phone_raw: string | null;
          project_id: string;
          score_reasons: Json | null;
          scored_at: string | null;
          source: string | null;
          status: string;
          tags: Json;
          updated_at: string;
        };
        Insert: {
          assigned_at?: string | null;
          assigned_to?: string | null;
          client_id: string;
          converted_at?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          custom_fields?: Json;
          customer_id?: string | null;
          email?: string | null;
          first_name?: string | null;
          id?: string;
          last_name?: string | null;
          lead_score?: number | null;
          notes?: string | null;
          org_id?: string;
          phone?: string | null;
          phone_raw?: string | null;
          project_id: string;
          score_reasons?: Json | null;
          scored_at?: string | null;
          source?: string | null;
          status?: string;
          tags?: Json;
          updated_at?: string;
        };
        Update: {
          assigned_at?: string | null;
          assigned_to?: string | null;
          client_id?: string;
          converted_at?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          custom_fields?: Json;
          customer_id?: string | null;
          email?: string | null;
          first_name?: string | null;
          id?: string;
          last_name?: string | null;
          lead_score?: number | null;
          notes?: string | null;
          org_id?: string;
          phone?: string | null;
          phone_raw?: string | null;
          project_id?: string;
          score_reasons?: Json | null;
          scored_at?: string | null;
          source?: string | null;
          status?: string;
          tags?: Json;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "leads_assigned_to_fkey"; columns: ["org_id", "assigned_to"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "leads_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "leads_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "leads_project_id_fkey"; columns: ["org_id", "client_id", "project_id"]; isOneToOne: false; referencedRelation: "projects"; referencedColumns: ["org_id", "client_id", "id"] },
        ];
      };
      membership_plans: {
        Row: {
          billing_period: string;
          created_at: string;
          description: string | null;
          discount_percent: number;
          id: string;
          is_active: boolean;
          name: string;
          org_id: string;
          price: number;
          updated_at: string;
          visits_per_year: number;
        };
        Insert: {
          billing_period?: string;
          created_at?: string;
          description?: string | null;
          discount_percent?: number;
          id?: string;
          is_active?: boolean;
          name: string;
          org_id?: string;
          price?: number;
          updated_at?: string;
          visits_per_year?: number;
        };
        Update: {
          billing_period?: string;
          created_at?: string;
          description?: string | null;
          discount_percent?: number;
          id?: string;
          is_active?: boolean;
          name?: string;
          org_id?: string;
          price?: number;
          updated_at?: string;
          visits_per_year?: number;
        };
        Relationships: [
          { foreignKeyName: "membership_plans_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      messages: {
        Row: {
          client_id: string;
          content: string;
          conversation_id: string | null;
          created_at: string;
          direction: string;
          id: string;
          lead_id: string;
          message_type: string;
          metadata: Json;
          org_id: string;
          outbox_id: string | null;
          provider: string | null;
          provider_message_id: string | null;
          sender_id: string | null;
          sender_type: string;
          status: string;
        };
        Insert: {
          client_id: string;
          content: string;
          conversation_id?: string | null;
          created_at?: string;
          direction: string;
          id?: string;
          lead_id: string;
          message_type: string;
          metadata?: Json;
          org_id?: string;
          outbox_id?: string | null;
          provider?: string | null;
          provider_message_id?: string | null;
          sender_id?: string | null;
          sender_type: string;
          status?: string;
        };
        Update: {
          client_id?: string;
          content?: string;
          conversation_id?: string | null;
          created_at?: string;
          direction?: string;
          id?: string;
          lead_id?: string;
          message_type?: string;
          metadata?: Json;
          org_id?: string;
          outbox_id?: string | null;
          provider?: string | null;
          provider_message_id?: string | null;
          sender_id?: string | null;
          sender_type?: string;
          status?: string;
        };
        Relationships: [
          { foreignKeyName: "messages_conversation_id_fkey"; columns: ["org_id", "lead_id", "conversation_id"]; isOneToOne: false; referencedRelation: "conversations"; referencedColumns: ["org_id", "lead_id", "id"] },
          { foreignKeyName: "messages_lead_id_fkey"; columns: ["org_id", "client_id", "lead_id"]; isOneToOne: false; referencedRelation: "leads"; referencedColumns: ["org_id", "client_id", "id"] },
          { foreignKeyName: "messages_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "messages_outbox_id_fkey"; columns: ["org_id", "outbox_id"]; isOneToOne: false; referencedRelation: "crm_outbox"; referencedColumns: ["org_id", "id"] },
        ];
      };
      metrics: {
        Row: {
          client_id: string | null;
          converted: number | null;
          created_at: string;
          date: string;
          entity_id: string;
          entity_type: string;
          id: string;
          leads: number | null;
          metric_name: string;
          metric_value: number;
          org_id: string;
          period: string;
        };
        Insert: {
          client_id?: string | null;
          converted?: number | null;
          created_at?: string;
          date: string;
          entity_id: string;
          entity_type: string;
          id?: string;
          leads?: number | null;
          metric_name: string;
          metric_value: number;
          org_id?: string;
          period: string;
        };
        Update: {
          client_id?: string | null;
          converted?: number | null;
          created_at?: string;
          date?: string;
          entity_id?: string;
          entity_type?: string;
          id?: string;
          leads?: number | null;
          metric_name?: string;
          metric_value?: number;
          org_id?: string;
          period?: string;
        };
        Relationships: [
          { foreignKeyName: "metrics_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "metrics_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      org_channels: {
        Row: {
          address: string;
          channel: string;
          client_id: string | null;
          created_at: string;
          created_by_user_id: string | null;
          id: string;
          is_enabled: boolean;
          org_id: string;
          project_id: string | null;
          secret_name: string | null;
          settings: Json;
          updated_at: string;
        };
        Insert: {
          address: string;
          channel: string;
          client_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          is_enabled?: boolean;
          org_id?: string;
          project_id?: string | null;
          secret_name?: string | null;
          settings?: Json;
          updated_at?: string;
        };
        Update: {
          address?: string;
          channel?: string;
          client_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          is_enabled?: boolean;
          org_id?: string;
          project_id?: string | null;
          secret_name?: string | null;
          settings?: Json;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "org_channels_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "org_channels_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "org_channels_project_id_fkey"; columns: ["org_id", "client_id", "project_id"]; isOneToOne: false; referencedRelation: "projects"; referencedColumns: ["org_id", "client_id", "id"] },
        ];
      };
      org_invites: {
        Row: {
          accepted_at: string | null;
          accepted_by_user_id: string | null;
          created_at: string;
          created_by_user_id: string | null;
          email: string;
          expires_at: string;
          id: string;
          org_id: string;
          role: string;
          token_hash: string;
        };
        Insert: {
          accepted_at?: string | null;
          accepted_by_user_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          email: string;
          expires_at: string;
          id?: string;
          org_id: string;
          role: string;
          token_hash: string;
        };
        Update: {
          accepted_at?: string | null;
          accepted_by_user_id?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          email?: string;
          expires_at?: string;
          id?: string;
          org_id?: string;
          role?: string;
          token_hash?: string;
        };
        Relationships: [
          { foreignKeyName: "org_invites_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      orgs: {
        Row: {
          analyze_sentiment: boolean;
          created_at: string;
          currency: string;
          default_country: string;
          id: string;
          name: string;
          settings: Json;
          time_zone: string;
          updated_at: string;
        };
        Insert: {
          analyze_sentiment?: boolean;
          created_at?: string;
          currency?: string;
          default_country?: string;
          id?: string;
          name: string;
          settings?: Json;
          time_zone?: string;
          updated_at?: string;
        };
        Update: {
          analyze_sentiment?: boolean;
          created_at?: string;
          currency?: string;
          default_country?: string;
          id?: string;
          name?: string;
          settings?: Json;
          time_zone?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      portal_account_access: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          id: string;
          location_id: string | null;
          org_id: string;
          portal_account_id: string;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          portal_account_id: string;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          portal_account_id?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_account_access_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_account_access_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_account_access_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_account_access_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_accounts: {
        Row: {
          created_at: string;
          customer_id: string;
          id: string;
          invited_via: Database["public"]["Enums"]["portal_invited_via"] | null;
          last_login_at: string | null;
          org_id: string;
          primary_location_id: string | null;
          role: Database["public"]["Enums"]["portal_account_role"];
          status: Database["public"]["Enums"]["portal_account_status"];
          updated_at: string;
          user_id: string;
        };
        Insert: {
          created_at?: string;
          customer_id: string;
          id?: string;
          invited_via?: Database["public"]["Enums"]["portal_invited_via"] | null;
          last_login_at?: string | null;
          org_id: string;
          primary_location_id?: string | null;
          role?: Database["public"]["Enums"]["portal_account_role"];
          status?: Database["public"]["Enums"]["portal_account_status"];
          updated_at?: string;
          user_id: string;
        };
        Update: {
          created_at?: string;
          customer_id?: string;
          id?: string;
          invited_via?: Database["public"]["Enums"]["portal_invited_via"] | null;
          last_login_at?: string | null;
          org_id?: string;
          primary_location_id?: string | null;
          role?: Database["public"]["Enums"]["portal_account_role"];
          status?: Database["public"]["Enums"]["portal_account_status"];
          updated_at?: string;
          user_id?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_accounts_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_accounts_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_accounts_primary_location_id_fkey"; columns: ["org_id", "customer_id", "primary_location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      portal_ai_conversations: {
        Row: {
          context_type: Database["public"]["Enums"]["portal_ai_context"];
          customer_id: string | null;
          ended_at: string | null;
          escalated_to_thread_id: string | null;
          id: string;
          org_id: string;
          portal_account_id: string | null;
          related_work_order_id: string | null;
          started_at: string;
          status: Database["public"]["Enums"]["portal_ai_status"];
        };
        Insert: {
          context_type?: Database["public"]["Enums"]["portal_ai_context"];
          customer_id?: string | null;
          ended_at?: string | null;
          escalated_to_thread_id?: string | null;
          id?: string;
          org_id: string;
          portal_account_id?: string | null;
          related_work_order_id?: string | null;
          started_at?: string;
          status?: Database["public"]["Enums"]["portal_ai_status"];
        };
        Update: {
          context_type?: Database["public"]["Enums"]["portal_ai_context"];
          customer_id?: string | null;
          ended_at?: string | null;
          escalated_to_thread_id?: string | null;
          id?: string;
          org_id?: string;
          portal_account_id?: string | null;
          related_work_order_id?: string | null;
          started_at?: string;
          status?: Database["public"]["Enums"]["portal_ai_status"];
        };
        Relationships: [
          { foreignKeyName: "portal_ai_conversations_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_ai_conversations_escalated_to_thread_id_fkey"; columns: ["org_id", "customer_id", "escalated_to_thread_id"]; isOneToOne: false; referencedRelation: "portal_threads"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_ai_conversations_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_ai_conversations_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_ai_conversations_related_work_order_id_fkey"; columns: ["org_id", "customer_id", "related_work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      portal_ai_messages: {
        Row: {
          answers_message_id: string | null;
          content: string;
          conversation_id: string;
          created_at: string;
          id: string;
          metadata: Json | null;
          org_id: string;
          role: Database["public"]["Enums"]["portal_ai_role"];
          tokens_used: number | null;
          tries: number;
        };
        Insert: {
          answers_message_id?: string | null;
          content: string;
          conversation_id: string;
          created_at?: string;
          id?: string;
          metadata?: Json | null;
          org_id: string;
          role: Database["public"]["Enums"]["portal_ai_role"];
          tokens_used?: number | null;
          tries?: number;
        };
        Update: {
          answers_message_id?: string | null;
          content?: string;
          conversation_id?: string;
          created_at?: string;
          id?: string;
          metadata?: Json | null;
          org_id?: string;
          role?: Database["public"]["Enums"]["portal_ai_role"];
          tokens_used?: number | null;
          tries?: number;
        };
        Relationships: [
          { foreignKeyName: "portal_ai_messages_answers_message_id_fkey"; columns: ["org_id", "conversation_id", "answers_message_id"]; isOneToOne: true; referencedRelation: "portal_ai_messages"; referencedColumns: ["org_id", "conversation_id", "id"] },
          { foreignKeyName: "portal_ai_messages_conversation_id_fkey"; columns: ["org_id", "conversation_id"]; isOneToOne: false; referencedRelation: "portal_ai_conversations"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_ai_messages_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      portal_appointments: {
        Row: {
          customer_id: string;
          eta: string | null;
          location_id: string | null;
          org_id: string;
          service_type: string | null;
          status: string;
          updated_at: string;
          window_end: string | null;
          window_start: string | null;
          work_order_id: string;
        };
        Insert: {
          customer_id: string;
          eta?: string | null;
          location_id?: string | null;
          org_id: string;
          service_type?: string | null;
          status: string;
          updated_at: string;
          window_end?: string | null;
          window_start?: string | null;
          work_order_id: string;
        };
        Update: {
          customer_id?: string;
          eta?: string | null;
          location_id?: string | null;
          org_id?: string;
          service_type?: string | null;
          status?: string;
          updated_at?: string;
          window_end?: string | null;
          window_start?: string | null;
          work_order_id?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_appointments_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_appointments_work_order_id_fkey"; columns: ["org_id", "work_order_id"]; isOneToOne: true; referencedRelation: "work_orders"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_audit_events: {
        Row: {
          event_payload: Json | null;
          event_type: string;
          id: string;
          ip_address: string | null;
          occurred_at: string;
          org_id: string;
          portal_account_id: string;
          user_agent: string | null;
        };
        Insert: {
          event_payload?: Json | null;
          event_type: string;
          id?: string;
          ip_address?: string | null;
          occurred_at?: string;
          org_id: string;
          portal_account_id: string;
          user_agent?: string | null;
        };
        Update: {
          event_payload?: Json | null;
          event_type?: string;
          id?: string;
          ip_address?: string | null;
          occurred_at?: string;
          org_id?: string;
          portal_account_id?: string;
          user_agent?: string | null;
        };
        Relationships: [
          { foreignKeyName: "portal_audit_events_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_audit_events_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_booking_holds: {
        Row: {
          booking_request_id: string | null;
          buffer_minutes: number;
          created_at: string;
          customer_id: string;
          ends_at: string;
          expires_at: string | null;
          id: string;
          location_id: string | null;
          org_id: string;
          portal_account_id: string;
          service_type_id: string;
          starts_at: string;
          technician_id: string;
          unit: number | null;
        };
        Insert: {
          booking_request_id?: string | null;
          buffer_minutes?: number;
          created_at?: string;
          customer_id: string;
          ends_at: string;
          expires_at?: string | null;
          id?: string;
          location_id?: string | null;
          org_id: string;
          portal_account_id: string;
          service_type_id: string;
          starts_at: string;
          technician_id: string;
          unit?: number | null;
        };
        Update: {
          booking_request_id?: string | null;
          buffer_minutes?: number;
          created_at?: string;
          customer_id?: string;
          ends_at?: string;
          expires_at?: string | null;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          portal_account_id?: string;
          service_type_id?: string;
          starts_at?: string;
          technician_id?: string;
          unit?: number | null;
        };
        Relationships: [
          { foreignKeyName: "portal_booking_holds_booking_request_id_fkey"; columns: ["org_id", "booking_request_id"]; isOneToOne: true; referencedRelation: "portal_booking_requests"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_booking_holds_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_booking_holds_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_booking_holds_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_booking_holds_service_type_id_fkey"; columns: ["org_id", "service_type_id"]; isOneToOne: false; referencedRelation: "service_types"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_booking_holds_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_booking_requests: {
        Row: {
          attachments: Json | null;
          cancel_reason: string | null;
          canceled_at: string | null;
          created_at: string;
          customer_id: string;
          dedupe_key: string | null;
          ends_at: string | null;
          flexible_date: boolean;
          id: string;
          location_id: string | null;
          org_id: string;
          portal_account_id: string;
          preferred_service_date: string | null;
          preferred_time_window_end: string | null;
          preferred_time_window_start: string | null;
          problem_description: string;
          related_work_order_id: string | null;
          review_note: string | null;
          reviewed_at: string | null;
          reviewed_by_user_id: string | null;
          service_type: string;
          source_channel: Database["public"]["Enums"]["portal_booking_source"];
          starts_at: string | null;
          status: Database["public"]["Enums"]["portal_booking_status"];
          technician_id: string | null;
          updated_at: string;
        };
        Insert: {
          attachments?: Json | null;
          cancel_reason?: string | null;
          canceled_at?: string | null;
          created_at?: string;
          customer_id: string;
          dedupe_key?: string | null;
          ends_at?: string | null;
          flexible_date?: boolean;
          id?: string;
          location_id?: string | null;
          org_id: string;
          portal_account_id: string;
          preferred_service_date?: string | null;
          preferred_time_window_end?: string | null;
          preferred_time_window_start?: string | null;
          problem_description: string;
          related_work_order_id?: string | null;
          review_note?: string | null;
          reviewed_at?: string | null;
          reviewed_by_user_id?: string | null;
          service_type: string;
          source_channel?: Database["public"]["Enums"]["portal_booking_source"];
          starts_at?: string | null;
          status?: Database["public"]["Enums"]["portal_booking_status"];
          technician_id?: string | null;
          updated_at?: string;
        };
        Update: {
          attachments?: Json | null;
          cancel_reason?: string | null;
          canceled_at?: string | null;
          created_at?: string;
          customer_id?: string;
          dedupe_key?: string | null;
          ends_at?: string | null;
          flexible_date?: boolean;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          portal_account_id?: string;
          preferred_service_date?: string | null;
          preferred_time_window_end?: string | null;
          preferred_time_window_start?: string | null;
          problem_description?: string;
          related_work_order_id?: string | null;
          review_note?: string | null;
          reviewed_at?: string | null;
          reviewed_by_user_id?: string | null;
          service_type?: string;
          source_channel?: Database["public"]["Enums"]["portal_booking_source"];
          starts_at?: string | null;
          status?: Database["public"]["Enums"]["portal_booking_status"];
          technician_id?: string | null;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_booking_requests_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_booking_requests_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_booking_requests_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_booking_requests_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_booking_requests_related_work_order_id_fkey"; columns: ["org_id", "customer_id", "related_work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_booking_requests_service_type_fkey"; columns: ["org_id", "service_type"]; isOneToOne: false; referencedRelation: "service_types"; referencedColumns: ["org_id", "code"] },
          { foreignKeyName: "portal_booking_requests_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_invites: {
        Row: {
          access: Json;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          email: string;
          expires_at: string;
          id: string;
          org_id: string;
          portal_account_id: string | null;
          revoked_at: string | null;
          role: Database["public"]["Enums"]["portal_account_role"];
          token_hash: string;
          used_at: string | null;
        };
        Insert: {
          access?: Json;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          email: string;
          expires_at: string;
          id?: string;
          org_id: string;
          portal_account_id?: string | null;
          revoked_at?: string | null;
          role?: Database["public"]["Enums"]["portal_account_role"];
          token_hash: string;
          used_at?: string | null;
        };
        Update: {
          access?: Json;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          email?: string;
          expires_at?: string;
          id?: string;
          org_id?: string;
          portal_account_id?: string | null;
          revoked_at?: string | null;
          role?: Database["public"]["Enums"]["portal_account_role"];
          token_hash?: string;
          used_at?: string | null;
        };
        Relationships: [
          { foreignKeyName: "portal_invites_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_invites_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_invites_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_messages: {
        Row: {
          attachments: Json | null;
          body: string;
          crm_interaction_id: string | null;
          customer_id: string;
          dedupe_key: string | null;
          id: string;
          org_id: string;
          read_at: string | null;
          sender_portal_account_id: string | null;
          sender_type: Database["public"]["Enums"]["portal_sender_type"];
          sender_user_id: string | null;
          sent_at: string;
          sentiment: Database["public"]["Enums"]["sentiment"] | null;
          thread_id: string;
        };
        Insert: {
          attachments?: Json | null;
          body: string;
          crm_interaction_id?: string | null;
          customer_id: string;
          dedupe_key?: string | null;
          id?: string;
          org_id: string;
          read_at?: string | null;
          sender_portal_account_id?: string | null;
          sender_type: Database["public"]["Enums"]["portal_sender_type"];
          sender_user_id?: string | null;
          sent_at?: string;
          sentiment?: Database["public"]["Enums"]["sentiment"] | null;
          thread_id: string;
        };
        Update: {
          attachments?: Json | null;
          body?: string;
          crm_interaction_id?: string | null;
          customer_id?: string;
          dedupe_key?: string | null;
          id?: string;
          org_id?: string;
          read_at?: string | null;
          sender_portal_account_id?: string | null;
          sender_type?: Database["public"]["Enums"]["portal_sender_type"];
          sender_user_id?: string | null;
          sent_at?: string;
          sentiment?: Database["public"]["Enums"]["sentiment"] | null;
          thread_id?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_messages_crm_interaction_id_fkey"; columns: ["org_id", "customer_id", "crm_interaction_id"]; isOneToOne: false; referencedRelation: "crm_interactions"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_messages_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_messages_sender_portal_account_id_fkey"; columns: ["org_id", "sender_portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_messages_thread_id_fkey"; columns: ["org_id", "customer_id", "thread_id"]; isOneToOne: false; referencedRelation: "portal_threads"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      portal_notification_preferences: {
        Row: {
          created_at: string;
          id: string;
          notify_booking_updates_email: boolean;
          notify_booking_updates_sms: boolean;
          notify_marketing_email: boolean;
          notify_marketing_sms: boolean;
          notify_technician_enroute: boolean;
          org_id: string;
          portal_account_id: string;
          quiet_hours_end: string | null;
          quiet_hours_start: string | null;
          timezone: string | null;
          updated_at: string;
        };
        Insert: {
          created_at?: string;
          id?: string;
          notify_booking_updates_email?: boolean;
          notify_booking_updates_sms?: boolean;
          notify_marketing_email?: boolean;
          notify_marketing_sms?: boolean;
          notify_technician_enroute?: boolean;
          org_id: string;
          portal_account_id: string;
          quiet_hours_end?: string | null;
          quiet_hours_start?: string | null;
          timezone?: string | null;
          updated_at?: string;
        };
        Update: {
          created_at?: string;
          id?: string;
          notify_booking_updates_email?: boolean;
          notify_booking_updates_sms?: boolean;
          notify_marketing_email?: boolean;
          notify_marketing_sms?: boolean;
          notify_technician_enroute?: boolean;
          org_id?: string;
          portal_account_id?: string;
          quiet_hours_end?: string | null;
          quiet_hours_start?: string | null;
          timezone?: string | null;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_notification_preferences_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_notification_preferences_portal_account_id_fkey"; columns: ["org_id", "portal_account_id"]; isOneToOne: true; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
        ];
      };
      portal_settings: {
        Row: {
          auto_schedule: boolean;
          cancel_fee_note: string | null;
          cancel_hours_before: number;
          created_at: string;
          hold_minutes: number;
          horizon_days: number;
          is_signup_enabled: boolean;
          max_reschedules: number;
          min_notice_minutes: number;
          org_id: string;
          portal_url: string | null;
          reschedule_hours_before: number;
          slot_minutes: number;
          slug: string | null;
          travel_speed_kmh: number;
          updated_at: string;
        };
        Insert: {
          auto_schedule?: boolean;
          cancel_fee_note?: string | null;
          cancel_hours_before?: number;
          created_at?: string;
          hold_minutes?: number;
          horizon_days?: number;
          is_signup_enabled?: boolean;
          max_reschedules?: number;
          min_notice_minutes?: number;
          org_id?: string;
          portal_url?: string | null;
          reschedule_hours_before?: number;
          slot_minutes?: number;
          slug?: string | null;
          travel_speed_kmh?: number;
          updated_at?: string;
        };
        Update: {
          auto_schedule?: boolean;
          cancel_fee_note?: string | null;
          cancel_hours_before?: number;
          created_at?: string;
          hold_minutes?: number;
          horizon_days?: number;
          is_signup_enabled?: boolean;
          max_reschedules?: number;
          min_notice_minutes?: number;
          org_id?: string;
          portal_url?: string | null;
          reschedule_hours_before?: number;
          slot_minutes?: number;
          slug?: string | null;
          travel_speed_kmh?: number;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_settings_org_id_fkey"; columns: ["org_id"]; isOneToOne: true; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      portal_threads: {
        Row: {
          assigned_to_user_id: string | null;
          created_at: string;
          created_by_portal_account_id: string | null;
          created_by_user_id: string | null;
          customer_id: string;
          id: string;
          last_message_at: string;
          location_id: string | null;
          org_id: string;
          related_work_order_id: string | null;
          status: Database["public"]["Enums"]["portal_thread_status"];
          subject: string;
          updated_at: string;
        };
        Insert: {
          assigned_to_user_id?: string | null;
          created_at?: string;
          created_by_portal_account_id?: string | null;
          created_by_user_id?: string | null;
          customer_id: string;
          id?: string;
          last_message_at?: string;
          location_id?: string | null;
          org_id: string;
          related_work_order_id?: string | null;
          status?: Database["public"]["Enums"]["portal_thread_status"];
          subject: string;
          updated_at?: string;
        };
        Update: {
          assigned_to_user_id?: string | null;
          created_at?: string;
          created_by_portal_account_id?: string | null;
          created_by_user_id?: string | null;
          customer_id?: string;
          id?: string;
          last_message_at?: string;
          location_id?: string | null;
          org_id?: string;
          related_work_order_id?: string | null;
          status?: Database["public"]["Enums"]["portal_thread_status"];
          subject?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "portal_threads_assigned_to_user_id_fkey"; columns: ["org_id", "assigned_to_user_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_threads_created_by_portal_account_id_fkey"; columns: ["org_id", "created_by_portal_account_id"]; isOneToOne: false; referencedRelation: "portal_accounts"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_threads_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "portal_threads_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "portal_threads_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "portal_threads_related_work_order_id_fkey"; columns: ["org_id", "customer_id", "related_work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      products: {
        Row: {
          created_at: string;
          description: string | null;
          id: string;
          is_active: boolean;
          name: string;
          name_key: string | null;
          org_id: string;
          updated_at: string;
        };
        Insert: {
          created_at?: string;
          description?: string | null;
          id?: string;
          is_active?: boolean;
          name: string;
          name_key?: never;
          org_id?: string;
          updated_at?: string;
        };
        Update: {
          created_at?: string;
          description?: string | null;
          id?: string;
          is_active?: boolean;
          name?: string;
          name_key?: never;
          org_id?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "products_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      profiles: {
        Row: {
          avatar_url: string | null;
          created_at: string;
          email: string | null;
          full_name: string | null;
          id: string;
          org_id: string;
          phone: string | null;
          role: string;
          status: string;
          updated_at: string;
        };
        Insert: {
          avatar_url?: string | null;
          created_at?: string;
          email?: string | null;
          full_name?: string | null;
          id: string;
          org_id: string;
          phone?: string | null;
          role: string;
          status?: string;
          updated_at?: string;
        };
        Update: {
          avatar_url?: string | null;
          created_at?: string;
          email?: string | null;
          full_name?: string | null;
          id?: string;
          org_id?: string;
          phone?: string | null;
          role?: string;
          status?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "profiles_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      project_members: {
        Row: {
          client_id: string;
          created_at: string;
          id: string;
          org_id: string;
          permissions: Json;
          project_id: string;
          role: string;
          user_id: string;
        };
        Insert: {
          client_id: string;
          created_at?: string;
          id?: string;
          org_id?: string;
          permissions?: Json;
          project_id: string;
          role?: string;
          user_id: string;
        };
        Update: {
          client_id?: string;
          created_at?: string;
          id?: string;
          org_id?: string;
          permissions?: Json;
          project_id?: string;
          role?: string;
          user_id?: string;
        };
        Relationships: [
          { foreignKeyName: "project_members_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "project_members_project_id_fkey"; columns: ["org_id", "client_id", "project_id"]; isOneToOne: false; referencedRelation: "projects"; referencedColumns: ["org_id", "client_id", "id"] },
          { foreignKeyName: "project_members_user_id_fkey"; columns: ["org_id", "client_id", "user_id"]; isOneToOne: false; referencedRelation: "client_members"; referencedColumns: ["org_id", "client_id", "user_id"] },
        ];
      };
      projects: {
        Row: {
          client_id: string;
          created_at: string;
          created_by_user_id: string | null;
          description: string | null;
          id: string;
          name: string;
          org_id: string;
          settings: Json;
          status: string;
          updated_at: string;
        };
        Insert: {
          client_id: string;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          id?: string;
          name: string;
          org_id?: string;
          settings?: Json;
          status?: string;
          updated_at?: string;
        };
        Update: {
          client_id?: string;
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          id?: string;
          name?: string;
          org_id?: string;
          settings?: Json;
          status?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "projects_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "projects_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      quotes: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          decided_at: string | null;
          id: string;
          notes: string | null;
          number: string;
          org_id: string;
          sent_at: string | null;
          status: string;
          total: number;
          updated_at: string;
          valid_until: string | null;
          work_order_id: string | null;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          decided_at?: string | null;
          id?: string;
          notes?: string | null;
          number: string;
          org_id?: string;
          sent_at?: string | null;
          status?: string;
          total?: number;
          updated_at?: string;
          valid_until?: string | null;
          work_order_id?: string | null;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          decided_at?: string | null;
          id?: string;
          notes?: string | null;
          number?: string;
          org_id?: string;
          sent_at?: string | null;
          status?: string;
          total?: number;
          updated_at?: string;
          valid_until?: string | null;
          work_order_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "quotes_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "quotes_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "quotes_work_order_id_fkey"; columns: ["org_id", "customer_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      reports: {
        Row: {
          client_id: string | null;
          config: Json;
          created_at: string;
          data: Json | null;
          generated_by: string | null;
          id: string;
          name: string;
          org_id: string;
          project_id: string | null;
          type: string;
        };
        Insert: {
          client_id?: string | null;
          config?: Json;
          created_at?: string;
          data?: Json | null;
          generated_by?: string | null;
          id?: string;
          name: string;
          org_id?: string;
          project_id?: string | null;
          type: string;
        };
        Update: {
          client_id?: string | null;
          config?: Json;
          created_at?: string;
          data?: Json | null;
          generated_by?: string | null;
          id?: string;
          name?: string;
          org_id?: string;
          project_id?: string | null;
          type?: string;
        };
        Relationships: [
          { foreignKeyName: "reports_client_id_fkey"; columns: ["org_id", "client_id"]; isOneToOne: false; referencedRelation: "clients"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "reports_generated_by_fkey"; columns: ["org_id", "generated_by"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "reports_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "reports_project_id_fkey"; columns: ["org_id", "client_id", "project_id"]; isOneToOne: false; referencedRelation: "projects"; referencedColumns: ["org_id", "client_id", "id"] },
        ];
      };
      service_types: {
        Row: {
          buffer_minutes: number;
          capacity: number | null;
          code: string;
          created_at: string;
          description: string | null;
          duration_minutes: number;
          id: string;
          is_bookable: boolean;
          name: string;
          org_id: string;
          updated_at: string;
        };
        Insert: {
          buffer_minutes?: number;
          capacity?: number | null;
          code: string;
          created_at?: string;
          description?: string | null;
          duration_minutes?: number;
          id?: string;
          is_bookable?: boolean;
          name: string;
          org_id?: string;
          updated_at?: string;
        };
        Update: {
          buffer_minutes?: number;
          capacity?: number | null;
          code?: string;
          created_at?: string;
          description?: string | null;
          duration_minutes?: number;
          id?: string;
          is_bookable?: boolean;
          name?: string;
          org_id?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "service_types_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      technician_areas: {
        Row: {
          country: string | null;
          created_at: string;
          id: string;
          latitude: number | null;
          longitude: number | null;
          org_id: string;
          postal_code_prefix: string | null;
          radius_km: number | null;
          technician_id: string;
        };
        Insert: {
          country?: string | null;
          created_at?: string;
          id?: string;
          latitude?: number | null;
          longitude?: number | null;
          org_id?: string;
          postal_code_prefix?: string | null;
          radius_km?: number | null;
          technician_id: string;
        };
        Update: {
          country?: string | null;
          created_at?: string;
          id?: string;
          latitude?: number | null;
          longitude?: number | null;
          org_id?: string;
          postal_code_prefix?: string | null;
          radius_km?: number | null;
          technician_id?: string;
        };
        Relationships: [
          { foreignKeyName: "technician_areas_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "technician_areas_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      technician_hours: {
        Row: {
          created_at: string;
          end_time: string;
          id: string;
          org_id: string;
          start_time: string;
          technician_id: string;
          weekday: number;
        };
        Insert: {
          created_at?: string;
          end_time: string;
          id?: string;
          org_id?: string;
          start_time: string;
          technician_id: string;
          weekday: number;
        };
        Update: {
          created_at?: string;
          end_time?: string;
          id?: string;
          org_id?: string;
          start_time?: string;
          technician_id?: string;
          weekday?: number;
        };
        Relationships: [
          { foreignKeyName: "technician_hours_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "technician_hours_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      technician_skills: {
        Row: {
          created_at: string;
          id: string;
          org_id: string;
          service_type_id: string;
          technician_id: string;
        };
        Insert: {
          created_at?: string;
          id?: string;
          org_id?: string;
          service_type_id: string;
          technician_id: string;
        };
        Update: {
          created_at?: string;
          id?: string;
          org_id?: string;
          service_type_id?: string;
          technician_id?: string;
        };
        Relationships: [
          { foreignKeyName: "technician_skills_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "technician_skills_service_type_id_fkey"; columns: ["org_id", "service_type_id"]; isOneToOne: false; referencedRelation: "service_types"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "technician_skills_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      technician_time_off: {
        Row: {
          created_at: string;
          ends_at: string;
          id: string;
          org_id: string;
          reason: string | null;
          starts_at: string;
          technician_id: string;
        };
        Insert: {
          created_at?: string;
          ends_at: string;
          id?: string;
          org_id?: string;
          reason?: string | null;
          starts_at: string;
          technician_id: string;
        };
        Update: {
          created_at?: string;
          ends_at?: string;
          id?: string;
          org_id?: string;
          reason?: string | null;
          starts_at?: string;
          technician_id?: string;
        };
        Relationships: [
          { foreignKeyName: "technician_time_off_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "technician_time_off_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      visit_plans: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          duration_minutes: number;
          id: string;
          is_active: boolean;
          location_id: string | null;
          made_until: string | null;
          org_id: string;
          rrule: string;
          service_type: string | null;
          start_time: string;
          starts_on: string;
          technician_id: string | null;
          title: string;
          updated_at: string;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          duration_minutes?: number;
          id?: string;
          is_active?: boolean;
          location_id?: string | null;
          made_until?: string | null;
          org_id?: string;
          rrule: string;
          service_type?: string | null;
          start_time: string;
          starts_on: string;
          technician_id?: string | null;
          title: string;
          updated_at?: string;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          duration_minutes?: number;
          id?: string;
          is_active?: boolean;
          location_id?: string | null;
          made_until?: string | null;
          org_id?: string;
          rrule?: string;
          service_type?: string | null;
          start_time?: string;
          starts_on?: string;
          technician_id?: string | null;
          title?: string;
          updated_at?: string;
        };
        Relationships: [
          { foreignKeyName: "visit_plans_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "visit_plans_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "visit_plans_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "visit_plans_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
        ];
      };
      warranties: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          document_id: string | null;
          ends_on: string | null;
          id: string;
          location_id: string | null;
          org_id: string;
          provider: string | null;
          starts_on: string;
          terms: string | null;
          title: string;
          updated_at: string;
          work_order_id: string | null;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          document_id?: string | null;
          ends_on?: string | null;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          provider?: string | null;
          starts_on: string;
          terms?: string | null;
          title: string;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          document_id?: string | null;
          ends_on?: string | null;
          id?: string;
          location_id?: string | null;
          org_id?: string;
          provider?: string | null;
          starts_on?: string;
          terms?: string | null;
          title?: string;
          updated_at?: string;
          work_order_id?: string | null;
        };
        Relationships: [
          { foreignKeyName: "warranties_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "warranties_document_id_fkey"; columns: ["org_id", "document_id"]; isOneToOne: false; referencedRelation: "documents"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "warranties_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "warranties_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "warranties_work_order_id_fkey"; columns: ["org_id", "customer_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
      webhook_attempts: {
        Row: {
          attempted_at: string;
          duration_ms: number | null;
          error_code: string | null;
          http_status: number | null;
          id: string;
          message_id: string;
          org_id: string;
          outcome: string;
        };
        Insert: {
          attempted_at?: string;
          duration_ms?: number | null;
          error_code?: string | null;
          http_status?: number | null;
          id?: string;
          message_id: string;
          org_id: string;
          outcome: string;
        };
        Update: {
          attempted_at?: string;
          duration_ms?: number | null;
          error_code?: string | null;
          http_status?: number | null;
          id?: string;
          message_id?: string;
          org_id?: string;
          outcome?: string;
        };
        Relationships: [
          { foreignKeyName: "webhook_attempts_message_id_fkey"; columns: ["org_id", "message_id"]; isOneToOne: false; referencedRelation: "crm_outbox"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "webhook_attempts_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      webhook_endpoints: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          description: string | null;
          disabled_reason: string | null;
          event_types: string[];
          failing_since: string | null;
          failure_count: number;
          id: string;
          is_enabled: boolean;
          org_id: string;
          resume_at: string | null;
          updated_at: string;
          url: string;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          disabled_reason?: string | null;
          event_types?: string[];
          failing_since?: string | null;
          failure_count?: number;
          id?: string;
          is_enabled?: boolean;
          org_id?: string;
          resume_at?: string | null;
          updated_at?: string;
          url: string;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          description?: string | null;
          disabled_reason?: string | null;
          event_types?: string[];
          failing_since?: string | null;
          failure_count?: number;
          id?: string;
          is_enabled?: boolean;
          org_id?: string;
          resume_at?: string | null;
          updated_at?: string;
          url?: string;
        };
        Relationships: [
          { foreignKeyName: "webhook_endpoints_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      webhook_events: {
        Row: {
          channel_id: string | null;
          event_type: string;
          id: string;
          interaction_id: string | null;
          lead_id: string | null;
          message_id: string | null;
          org_id: string;
          outcome: string;
          payload: Json | null;
          provider: string;
          provider_event_id: string;
          received_at: string;
        };
        Insert: {
          channel_id?: string | null;
          event_type: string;
          id?: string;
          interaction_id?: string | null;
          lead_id?: string | null;
          message_id?: string | null;
          org_id: string;
          outcome: string;
          payload?: Json | null;
          provider: string;
          provider_event_id: string;
          received_at?: string;
        };
        Update: {
          channel_id?: string | null;
          event_type?: string;
          id?: string;
          interaction_id?: string | null;
          lead_id?: string | null;
          message_id?: string | null;
          org_id?: string;
          outcome?: string;
          payload?: Json | null;
          provider?: string;
          provider_event_id?: string;
          received_at?: string;
        };
        Relationships: [
          { foreignKeyName: "webhook_events_channel_id_fkey"; columns: ["org_id", "channel_id"]; isOneToOne: false; referencedRelation: "org_channels"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "webhook_events_interaction_id_fkey"; columns: ["org_id", "interaction_id"]; isOneToOne: false; referencedRelation: "crm_interactions"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "webhook_events_lead_id_fkey"; columns: ["org_id", "lead_id"]; isOneToOne: false; referencedRelation: "leads"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "webhook_events_message_id_fkey"; columns: ["org_id", "message_id"]; isOneToOne: false; referencedRelation: "messages"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "webhook_events_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
        ];
      };
      work_order_events: {
        Row: {
          created_at: string;
          created_by_user_id: string | null;
          id: string;
          new_values: Json | null;
          old_values: Json | null;
          org_id: string;
          type: string;
          work_order_id: string;
        };
        Insert: {
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          new_values?: Json | null;
          old_values?: Json | null;
          org_id: string;
          type: string;
          work_order_id: string;
        };
        Update: {
          created_at?: string;
          created_by_user_id?: string | null;
          id?: string;
          new_values?: Json | null;
          old_values?: Json | null;
          org_id?: string;
          type?: string;
          work_order_id?: string;
        };
        Relationships: [
          { foreignKeyName: "work_order_events_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "work_order_events_work_order_id_fkey"; columns: ["org_id", "work_order_id"]; isOneToOne: false; referencedRelation: "work_orders"; referencedColumns: ["org_id", "id"] },
        ];
      };
      work_orders: {
        Row: {
          buffer_minutes: number;
          cancel_reason: string | null;
          canceled_at: string | null;
          completed_at: string | null;
          created_at: string;
          created_by_user_id: string | null;
          customer_id: string;
          customer_notes: string | null;
          description: string | null;
          en_route_at: string | null;
          eta: string | null;
          id: string;
          internal_notes: string | null;
          location_id: string | null;
          occurrence_on: string | null;
          org_id: string;
          reschedule_count: number;
          service_type: string | null;
          started_at: string | null;
          status: string;
          technician_id: string | null;
          title: string;
          updated_at: string;
          visit_plan_id: string | null;
          window_end: string | null;
          window_start: string | null;
        };
        Insert: {
          buffer_minutes?: number;
          cancel_reason?: string | null;
          canceled_at?: string | null;
          completed_at?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id: string;
          customer_notes?: string | null;
          description?: string | null;
          en_route_at?: string | null;
          eta?: string | null;
          id?: string;
          internal_notes?: string | null;
          location_id?: string | null;
          occurrence_on?: string | null;
          org_id?: string;
          reschedule_count?: number;
          service_type?: string | null;
          started_at?: string | null;
          status?: string;
          technician_id?: string | null;
          title: string;
          updated_at?: string;
          visit_plan_id?: string | null;
          window_end?: string | null;
          window_start?: string | null;
        };
        Update: {
          buffer_minutes?: number;
          cancel_reason?: string | null;
          canceled_at?: string | null;
          completed_at?: string | null;
          created_at?: string;
          created_by_user_id?: string | null;
          customer_id?: string;
          customer_notes?: string | null;
          description?: string | null;
          en_route_at?: string | null;
          eta?: string | null;
          id?: string;
          internal_notes?: string | null;
          location_id?: string | null;
          occurrence_on?: string | null;
          org_id?: string;
          reschedule_count?: number;
          service_type?: string | null;
          started_at?: string | null;
          status?: string;
          technician_id?: string | null;
          title?: string;
          updated_at?: string;
          visit_plan_id?: string | null;
          window_end?: string | null;
          window_start?: string | null;
        };
        Relationships: [
          { foreignKeyName: "work_orders_customer_id_fkey"; columns: ["org_id", "customer_id"]; isOneToOne: false; referencedRelation: "customers"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "work_orders_location_id_fkey"; columns: ["org_id", "customer_id", "location_id"]; isOneToOne: false; referencedRelation: "customer_locations"; referencedColumns: ["org_id", "customer_id", "id"] },
          { foreignKeyName: "work_orders_org_id_fkey"; columns: ["org_id"]; isOneToOne: false; referencedRelation: "orgs"; referencedColumns: ["id"] },
          { foreignKeyName: "work_orders_technician_id_fkey"; columns: ["org_id", "technician_id"]; isOneToOne: false; referencedRelation: "profiles"; referencedColumns: ["org_id", "id"] },
          { foreignKeyName: "work_orders_visit_plan_id_fkey"; columns: ["org_id", "customer_id", "visit_plan_id"]; isOneToOne: false; referencedRelation: "visit_plans"; referencedColumns: ["org_id", "customer_id", "id"] },
        ];
      };
    };
    Views: {
      activities: {
        Row: {
          action: string | null;
          created_at: string | null;
          description: string | null;
          entity_id: string | null;
          entity_type: string | null;
          id: string | null;
          metadata: Json | null;
          org_id: string | null;
          user_id: string | null;
        };
        Relationships: [];
      };
      customer_interactions: {
        Row: {
          channel: Database["public"]["Enums"]["interaction_channel"] | null;
          created_at: string | null;
          customer_id: string | null;
          follow_up_date: string | null;
          id: string | null;
          note: string | null;
          org_id: string | null;
          type: string | null;
        };
        Relationships: [];
      };
      customer_metrics_recomputed: {
        Row: {
          balance_due: number | null;
          customer_id: string | null;
          interactions_count: number | null;
          jobs_count: number | null;
          last_interaction_at: string | null;
          last_service_at: string | null;
          negative_count: number | null;
          neutral_count: number | null;
          open_jobs_count: number | null;
          org_id: string | null;
          positive_count: number | null;
          total_spend: number | null;
        };
        Relationships: [];
      };
    };
    Functions: {
      calculate_conversion_rate: { Args: { project_id: string; date_range?: unknown | null }; Returns: number };
      can_access_client: { Args: { user_id: string; client_id: string }; Returns: boolean };
      can_access_project: { Args: { user_id: string; project_id: string }; Returns: boolean };
      can_manage_lead: { Args: { user_id: string; lead_id: string }; Returns: boolean };
      create_conversation: { Args: { lead_id: string; channel: string }; Returns: string };
      crm_accept_invite: { Args: { token: string; full_name?: string | null }; Returns: Result<"crm_accept_invite"> };
      crm_ai_usage: { Args: { month?: string | null }; Returns: Result<"crm_ai_usage"> };
      crm_archive_customer: { Args: { id: string }; Returns: Result<"crm_archive_customer"> };
      crm_assign_lead: { Args: { lead_id: string; strategy?: string | null; user_id?: string | null }; Returns: Result<"crm_assign_lead"> };
      crm_automation_history: { Args: { rule_id?: string | null; customer_id?: string | null; status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"crm_automation_history"> };
      crm_available_slots: { Args: { service_type: string; location_id: string; from_date?: string | null; to_date?: string | null }; Returns: Result<"crm_available_slots"> };
      crm_bulk_tag: { Args: { customer_ids: string[]; add?: string[] | null; remove?: string[] | null }; Returns: Result<"crm_bulk_tag"> };
      crm_can_contact: { Args: { customer_id: string; channel: string; purpose: string; at?: string | null }; Returns: Result<"crm_can_contact"> };
      crm_cancel_ai_job: { Args: { job_id: string }; Returns: Result<"crm_cancel_ai_job"> };
      crm_cancel_message: { Args: { id: string }; Returns: Result<"crm_cancel_message"> };
      crm_claim_kb_articles: { Args: { model: string; batch_limit?: number; after?: string | null }; Returns: Result<"crm_claim_kb_articles"> };
      crm_claim_messages: { Args: { batch_limit?: number; lease_seconds?: number; providers?: Json | null }; Returns: Result<"crm_claim_messages"> };
      crm_claim_scores: { Args: { batch_limit?: number; facts?: boolean }; Returns: Result<"crm_claim_scores"> };
      crm_claim_sentiments: { Args: { batch_limit?: number }; Returns: Result<"crm_claim_sentiments"> };
      crm_complete_message: { Args: { id: string; lease_id: string; provider_message_id?: string | null; http_status?: number | null; duration_ms?: number | null }; Returns: Result<"crm_complete_message"> };
      crm_convert_lead: { Args: { lead_id: string; customer_id?: string | null; type?: string | null; name?: string | null; company_name?: string | null; lifecycle_stage?: string | null; pipeline_stage?: string | null }; Returns: Result<"crm_convert_lead"> };
      crm_create_automation_rule: { Args: { name?: string | null; description?: string | null; is_enabled?: boolean | null; trigger_type?: string | null; event_type?: string | null; time_offset_minutes?: number | null; segment_id?: string | null; segment_change?: string | null; conditions?: Json | null; actions?: Json | null; reenrollment?: string | null; cooldown_minutes?: number | null; max_lateness_minutes?: number | null; idempotency_key?: string | null }; Returns: Result<"crm_create_automation_rule"> };
      crm_create_channel: { Args: { channel?: string | null; address?: string | null; client_id?: string | null; project_id?: string | null; secret_name?: string | null; settings?: Json | null; is_enabled?: boolean | null }; Returns: Result<"crm_create_channel"> };
      crm_create_client: { Args: { name?: string | null; description?: string | null; status?: string | null; contact_info?: Json | null; settings?: Json | null; idempotency_key?: string | null }; Returns: Result<"crm_create_client"> };
      crm_create_customer: { Args: { type?: string | null; name?: string | null; first_name?: string | null; last_name?: string | null; company_name?: string | null; email?: string | null; phone?: string | null; status?: string | null; lifecycle_stage?: string | null; pipeline_stage?: string | null; source?: string | null; preferred_language?: string | null; notes?: string | null; external_ref?: string | null; owner_id?: string | null; product_id?: string | null; contacts?: Json | null; locations?: Json | null; tags?: string[] | null; preferences?: Json | null; idempotency_key?: string | null }; Returns: Result<"crm_create_customer"> };
      crm_create_followup: { Args: { customer_id?: string | null; title?: string | null; due_at?: string | null; description?: string | null; priority?: string | null; assigned_to_user_id?: string | null; related_interaction_id?: string | null; related_work_order_id?: string | null; dedupe_key?: string | null; remind_at?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_create_followup"> };
      crm_create_lead: { Args: { project_id?: string | null; first_name?: string | null; last_name?: string | null; email?: string | null; phone?: string | null; status?: string | null; source?: string | null; notes?: string | null; tags?: Json | null; custom_fields?: Json | null; assigned_to?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_create_lead"> };
      crm_create_org: { Args: { name: string; time_zone?: string; default_country?: string; full_name?: string | null }; Returns: Result<"crm_create_org"> };
      crm_create_portal_invite: { Args: { customer_id: string; email: string; role?: string; access?: Json; expires_in_hours?: number; send?: boolean; idempotency_key?: string | null }; Returns: Result<"crm_create_portal_invite"> };
      crm_create_portal_thread: { Args: { customer_id?: string | null; subject?: string | null; body?: string | null; related_work_order_id?: string | null; location_id?: string | null; attachments?: Json | null; idempotency_key?: string | null }; Returns: Result<"crm_create_portal_thread"> };
      crm_create_segment: { Args: { name?: string | null; type?: string | null; description?: string | null; definition?: Json | null; ai_prompt?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_create_segment"> };
      crm_create_webhook_endpoint: { Args: { url?: string | null; event_types?: Json | null; description?: string | null; is_enabled?: boolean | null }; Returns: Result<"crm_create_webhook_endpoint"> };
      crm_customer_timeline: { Args: { customer_id: string; page_size?: number; cursor?: string | null; kinds?: string[] | null }; Returns: Result<"crm_customer_timeline"> };
      crm_deactivate_member: { Args: { user_id: string }; Returns: Result<"crm_deactivate_member"> };
      crm_delete_customer: { Args: { id: string }; Returns: Result<"crm_delete_customer"> };
      crm_emit_event: { Args: { event_type?: string | null; customer_id?: string | null; payload?: Json | null; event_key?: string | null; occurred_at?: string | null; org_id?: string | null }; Returns: Result<"crm_emit_event"> };
      crm_ensure_followup: { Args: { customer_id?: string | null; title?: string | null; due_at?: string | null; dedupe_key?: string | null; description?: string | null; priority?: string | null; assigned_to_user_id?: string | null; origin?: string | null; related_interaction_id?: string | null; related_work_order_id?: string | null; remind_at?: string | null }; Returns: Result<"crm_ensure_followup"> };
      crm_erase_customer: { Args: { id: string; reason?: string | null }; Returns: Result<"crm_erase_customer"> };
      crm_expire_followups: { Args: { grace_hours?: number; batch_limit?: number }; Returns: Result<"crm_expire_followups"> };
      crm_export_customer: { Args: { id: string }; Returns: Result<"crm_export_customer"> };
      crm_fail_message: { Args: { id: string; lease_id: string; code?: string | null; message?: string | null; retryable?: boolean; retry_after_seconds?: number | null; untried?: boolean; http_status?: number | null; duration_ms?: number | null }; Returns: Result<"crm_fail_message"> };
      crm_find_channel: { Args: { channel: string; address: string; provider?: string | null; event_ids?: Json | null }; Returns: Result<"crm_find_channel"> };
      crm_get_customer: { Args: { id: string }; Returns: Result<"crm_get_customer"> };
      crm_get_portal_thread: { Args: { thread_id?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"crm_get_portal_thread"> };
      crm_get_visit: { Args: { id: string }; Returns: Result<"crm_get_visit"> };
      crm_health: { Args: Record<PropertyKey, never>; Returns: Result<"crm_health"> };
      crm_import_customers: { Args: { rows: Json; match_on?: string[]; mode?: string; dry_run?: boolean }; Returns: Result<"crm_import_customers"> };
      crm_interaction_texts: { Args: { customer_id: string }; Returns: Result<"crm_interaction_texts"> };
      crm_invite_member: { Args: { email: string; role: string; expires_in_hours?: number }; Returns: Result<"crm_invite_member"> };
      crm_list_portal_threads: { Args: { status?: string | null; customer_id?: string | null; assigned_to?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"crm_list_portal_threads"> };
      crm_list_webhook_deliveries: { Args: { endpoint_id: string; status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"crm_list_webhook_deliveries"> };
      crm_log_interaction: { Args: { customer_id?: string | null; channel?: string | null; direction?: string | null; type?: string | null; subject?: string | null; summary?: string | null; body?: string | null; metadata?: Json | null; occurred_at?: string | null; follow_up_date?: string | null; location_id?: string | null; related_work_order_id?: string | null; related_quote_id?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_log_interaction"> };
      crm_make_planned_visits: { Args: { batch_limit?: number }; Returns: Result<"crm_make_planned_visits"> };
      crm_mark_message_unknown: { Args: { id: string; lease_id: string; code?: string | null; message?: string | null }; Returns: Result<"crm_mark_message_unknown"> };
      crm_mark_portal_thread_read: { Args: { thread_id?: string | null }; Returns: Result<"crm_mark_portal_thread_read"> };
      crm_merge_customers: { Args: { id: string; duplicate_id: string }; Returns: Result<"crm_merge_customers"> };
      crm_message_context: { Args: { customer_id: string }; Returns: Result<"crm_message_context"> };
      crm_my_visits: { Args: { from_at?: string | null; to_at?: string | null; page_size?: number }; Returns: Result<"crm_my_visits"> };
      crm_next_actions: { Args: { customer_id: string }; Returns: Result<"crm_next_actions"> };
      crm_preview_automation: { Args: { rule_id?: string | null; rule?: Json | null; sample_size?: number | null }; Returns: Result<"crm_preview_automation"> };
      crm_process_bookings: { Args: { batch_limit?: number }; Returns: Result<"crm_process_bookings"> };
      crm_process_segment_automations: { Args: { batch_limit?: number }; Returns: Result<"crm_process_segment_automations"> };
      crm_process_time_based: { Args: { batch_limit?: number }; Returns: Result<"crm_process_time_based"> };
      crm_prune: { Args: { batch_limit?: number | null }; Returns: Result<"crm_prune"> };
      crm_receive_webhook: { Args: { provider: string; channel: string; address: string; events: Json }; Returns: Result<"crm_receive_webhook"> };
      crm_recompute_due_segments: { Args: { batch_limit?: number | null }; Returns: Result<"crm_recompute_due_segments"> };
      crm_recompute_segment: { Args: { id: string }; Returns: Result<"crm_recompute_segment"> };
      crm_record_message_status: { Args: { provider: string; provider_message_id: string; status: string; code?: string | null; message?: string | null }; Returns: Result<"crm_record_message_status"> };
      crm_remind_followups: { Args: { batch_limit?: number | null }; Returns: Result<"crm_remind_followups"> };
      crm_render_template: { Args: { template_id: string; customer_id: string; variables?: Json | null }; Returns: Result<"crm_render_template"> };
      crm_replay_webhook_delivery: { Args: { id: string }; Returns: Result<"crm_replay_webhook_delivery"> };
      crm_replay_webhook_endpoint: { Args: { endpoint_id: string; since: string }; Returns: Result<"crm_replay_webhook_endpoint"> };
      crm_reply_to_conversation: { Args: { conversation_id: string; content: string; subject?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_reply_to_conversation"> };
      crm_reply_to_portal_thread: { Args: { thread_id?: string | null; body?: string | null; attachments?: Json | null; idempotency_key?: string | null }; Returns: Result<"crm_reply_to_portal_thread"> };
      crm_reserve_ai: { Args: { org_id: string; feature: string; provider: string; model: string; estimated_micros: number }; Returns: Result<"crm_reserve_ai"> };
      crm_restore_customer: { Args: { id: string }; Returns: Result<"crm_restore_customer"> };
      crm_retry_automation_run: { Args: { id: string }; Returns: Result<"crm_retry_automation_run"> };
      crm_retry_message: { Args: { id: string }; Returns: Result<"crm_retry_message"> };
      crm_review_booking: { Args: { id: string; decision: string; note?: string | null }; Returns: Result<"crm_review_booking"> };
      crm_revoke_portal_invite: { Args: { id: string }; Returns: Result<"crm_revoke_portal_invite"> };
      crm_run_automations: { Args: { batch_limit?: number }; Returns: Result<"crm_run_automations"> };
      crm_schedule_booking: { Args: { id: string; technician_id?: string | null; starts_at?: string | null; ends_at?: string | null }; Returns: Result<"crm_schedule_booking"> };
      crm_score_leads: { Args: { lead_ids?: string[] | null; page_size?: number | null }; Returns: Result<"crm_score_leads"> };
      crm_score_segment: { Args: { segment_id: string; threshold?: number; only_matching?: boolean; idempotency_key?: string | null }; Returns: Result<"crm_score_segment"> };
      crm_search_customers: { Args: { q?: string | null; status?: string | null; lifecycle_stage?: string | null; pipeline_stage?: string | null; tag?: string | null; segment_id?: string | null; owner_id?: string | null; product_id?: string | null; archived?: string; page_size?: number; cursor?: string | null; count?: boolean }; Returns: Result<"crm_search_customers"> };
      crm_segment_add_members: { Args: { segment_id: string; customer_ids: Json; scores?: Json | null }; Returns: Result<"crm_segment_add_members"> };
      crm_segment_aggregates: { Args: Record<PropertyKey, never>; Returns: Result<"crm_segment_aggregates"> };
      crm_segment_explain: { Args: { customer_id: string; definition?: Json | null; segment_id?: string | null }; Returns: Result<"crm_segment_explain"> };
      crm_segment_fields: { Args: Record<PropertyKey, never>; Returns: Result<"crm_segment_fields"> };
      crm_segment_matches: { Args: { segment_id: string; customer_id: string }; Returns: Result<"crm_segment_matches"> };
      crm_segment_preview: { Args: { definition: Json; sample_size?: number | null }; Returns: Result<"crm_segment_preview"> };
      crm_segment_remove_members: { Args: { segment_id: string; customer_ids: Json }; Returns: Result<"crm_segment_remove_members"> };
      crm_segment_sql: { Args: { definition: Json }; Returns: Result<"crm_segment_sql"> };
      crm_segment_validate: { Args: { definition: Json }; Returns: Result<"crm_segment_validate"> };
      crm_segment_vocabulary: { Args: Record<PropertyKey, never>; Returns: Result<"crm_segment_vocabulary"> };
      crm_send_message: { Args: { customer_id: string; channel: string; purpose: string; template_id?: string | null; subject?: string | null; body?: string | null; variables?: Json | null; scheduled_at?: string | null; expires_at?: string | null; contact_id?: string | null; dedupe_key?: string | null; idempotency_key?: string | null }; Returns: Result<"crm_send_message"> };
      crm_send_portal_notices: { Args: { batch_limit?: number | null }; Returns: Result<"crm_send_portal_notices"> };
      crm_session: { Args: Record<PropertyKey, never>; Returns: Result<"crm_session"> };
      crm_set_member_role: { Args: { user_id: string; role: string }; Returns: Result<"crm_set_member_role"> };
      crm_set_portal_access: { Args: { portal_account_id: string; access: Json }; Returns: Result<"crm_set_portal_access"> };
      crm_set_work_order_status: { Args: { id: string; status: string; eta?: string | null; customer_notes?: string | null; internal_notes?: string | null; cancel_reason?: string | null }; Returns: Result<"crm_set_work_order_status"> };
      crm_settle_ai: { Args: { org_id: string; id: string; input_tokens: number; output_tokens: number; cost_micros: number }; Returns: Result<"crm_settle_ai"> };
      crm_store_kb_chunks: { Args: { article_id: string; version: number; model: string; chunks: Json }; Returns: Result<"crm_store_kb_chunks"> };
      crm_store_scores: { Args: { job_id: string; lease_id: string; provider: string; results: Json; model?: string | null }; Returns: Result<"crm_store_scores"> };
      crm_store_sentiments: { Args: { lease_id: string; results: Json }; Returns: Result<"crm_store_sentiments"> };
      crm_submit_form: { Args: { form_key: string; fields: Json; submission_id?: string | null; source?: string | null; received_at?: string | null }; Returns: Result<"crm_submit_form"> };
      crm_suggest_followups: { Args: { customer_id: string }; Returns: Result<"crm_suggest_followups"> };
      crm_update_automation_rule: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_automation_rule"> };
      crm_update_channel: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_channel"> };
      crm_update_customer: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_customer"> };
      crm_update_followup: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_followup"> };
      crm_update_lead: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_lead"> };
      crm_update_portal_account: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_portal_account"> };
      crm_update_portal_thread: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_portal_thread"> };
      crm_update_segment: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_segment"> };
      crm_update_webhook_endpoint: { Args: { id: string; patch: Json }; Returns: Result<"crm_update_webhook_endpoint"> };
      crm_validate_template: { Args: { channel: string; body: string; subject?: string | null; variables?: Json | null }; Returns: Result<"crm_validate_template"> };
      get_project_summary: { Args: { project_id: string }; Returns: Result<"get_project_summary"> };
      get_source_performance: { Args: { project_id: string }; Returns: { source: string; count: number; rate: number }[] };
      kb_get_article: { Args: { article_slug: string; slug?: string | null }; Returns: Result<"kb_get_article"> };
      kb_list_articles: { Args: { slug?: string | null; category?: string | null; page_size?: number; cursor?: string | null }; Returns: Result<"kb_list_articles"> };
      kb_search: { Args: { query: string; embedding?: Json | null; model?: string | null; slug?: string | null; category?: string | null; page_size?: number }; Returns: Result<"kb_search"> };
      portal_accept_invite: { Args: { token: string; user_id: string; full_name?: string | null; idempotency_key?: string | null; fingerprint?: string | null }; Returns: Result<"portal_accept_invite"> };
      portal_add_ai_message: { Args: { conversation_id?: string | null; content?: string | null; idempotency_key?: string | null }; Returns: Result<"portal_add_ai_message"> };
      portal_ai_context: { Args: { message_id?: string | null }; Returns: Result<"portal_ai_context"> };
      portal_appointment_status: { Args: { id?: string | null }; Returns: Result<"portal_appointment_status"> };
      portal_available_slots: { Args: { service_type: string; location_id: string; from_date?: string | null; to_date?: string | null }; Returns: Result<"portal_available_slots"> };
      portal_cancel_appointment: { Args: { id: string; reason?: string | null; idempotency_key?: string | null }; Returns: Result<"portal_cancel_appointment"> };
      portal_cancel_booking: { Args: { id: string; reason?: string | null }; Returns: Result<"portal_cancel_booking"> };
      portal_complete_signup: { Args: Record<PropertyKey, never>; Returns: Result<"portal_complete_signup"> };
      portal_create_booking: { Args: { location_id?: string | null; location?: Json | null; service_type?: string | null; problem_description?: string | null; preferred_service_date?: string | null; preferred_time_window_start?: string | null; preferred_time_window_end?: string | null; flexible_date?: boolean | null; hold_id?: string | null; starts_at?: string | null; attachments?: Json | null; source_channel?: string | null; idempotency_key?: string | null }; Returns: Result<"portal_create_booking"> };
      portal_create_thread: { Args: { subject?: string | null; initial_message?: string | null; related_work_order_id?: string | null; location_id?: string | null; attachments?: Json | null; idempotency_key?: string | null }; Returns: Result<"portal_create_thread"> };
      portal_dashboard: { Args: Record<PropertyKey, never>; Returns: Result<"portal_dashboard"> };
      portal_escalate_ai_conversation: { Args: { conversation_id?: string | null }; Returns: Result<"portal_escalate_ai_conversation"> };
      portal_find_invite: { Args: { token: string; idempotency_key?: string | null; fingerprint?: string | null }; Returns: Result<"portal_find_invite"> };
      portal_find_signup: { Args: { slug: string; full_name?: string | null; phone?: string | null }; Returns: Result<"portal_find_signup"> };
      portal_get_ai_conversation: { Args: { conversation_id?: string | null }; Returns: Result<"portal_get_ai_conversation"> };
      portal_get_appointment: { Args: { id?: string | null }; Returns: Result<"portal_get_appointment"> };
      portal_get_booking: { Args: { id: string }; Returns: Result<"portal_get_booking"> };
      portal_get_document: { Args: { id?: string | null }; Returns: Result<"portal_get_document"> };
      portal_get_job: { Args: { id?: string | null }; Returns: Result<"portal_get_job"> };
      portal_get_message_file: { Args: { message_id?: string | null; index?: number }; Returns: Result<"portal_get_message_file"> };
      portal_get_settings: { Args: Record<PropertyKey, never>; Returns: Result<"portal_get_settings"> };
      portal_hold_slot: { Args: { service_type: string; location_id: string; starts_at: string; idempotency_key?: string | null }; Returns: Result<"portal_hold_slot"> };
      portal_list_ai_conversations: { Args: { status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_ai_conversations"> };
      portal_list_appointments: { Args: { from_at?: string | null; to_at?: string | null; status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_appointments"> };
      portal_list_bookings: { Args: { status?: string | null; page_size?: number; cursor?: string | null }; Returns: Result<"portal_list_bookings"> };
      portal_list_documents: { Args: { page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_documents"> };
      portal_list_invoices: { Args: { status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_invoices"> };
      portal_list_memberships: { Args: Record<PropertyKey, never>; Returns: Result<"portal_list_memberships"> };
      portal_list_messages: { Args: { thread_id?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_messages"> };
      portal_list_service_types: { Args: Record<PropertyKey, never>; Returns: Result<"portal_list_service_types"> };
      portal_list_threads: { Args: { status?: string | null; page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_list_threads"> };
      portal_log_event: { Args: { event_type: string; user_id?: string | null }; Returns: Result<"portal_log_event"> };
      portal_mark_thread_read: { Args: { thread_id?: string | null }; Returns: Result<"portal_mark_thread_read"> };
      portal_register_signup: { Args: { user_id: string; slug: string; full_name: string; phone?: string | null; booking_reference?: string | null; idempotency_key?: string | null; fingerprint?: string | null }; Returns: Result<"portal_register_signup"> };
      portal_release_hold: { Args: { id: string }; Returns: Result<"portal_release_hold"> };
      portal_reschedule_appointment: { Args: { id: string; starts_at: string; reason?: string | null; idempotency_key?: string | null }; Returns: Result<"portal_reschedule_appointment"> };
      portal_send_message: { Args: { thread_id?: string | null; body?: string | null; attachments?: Json | null; idempotency_key?: string | null }; Returns: Result<"portal_send_message"> };
      portal_service_history: { Args: { page_size?: number | null; cursor?: string | null }; Returns: Result<"portal_service_history"> };
      portal_session: { Args: { idempotency_key?: string | null }; Returns: Result<"portal_session"> };
      portal_start_ai_conversation: { Args: { context_type?: string | null; related_work_order_id?: string | null; idempotency_key?: string | null }; Returns: Result<"portal_start_ai_conversation"> };
      portal_store_ai_answer: { Args: { org_id: string; conversation_id: string; message_id: string; content: string; refused: boolean; citations: Json; provider: string; model?: string | null; input_tokens?: number | null; output_tokens?: number | null }; Returns: Result<"portal_store_ai_answer"> };
      portal_update_notifications: { Args: { patch: Json }; Returns: Result<"portal_update_notifications"> };
      portal_update_profile: { Args: { patch: Json }; Returns: Result<"portal_update_profile"> };
      process_incoming_message: { Args: { lead_id: string; content: string; platform: string }; Returns: string };
      update_conversation_stats: { Args: { conversation_id: string }; Returns: undefined };
    };
    Enums: {
      ai_feature: "segment" | "sentiment" | "suggestion" | "lead_score" | "draft" | "insight" | "assistant";
      ai_job_kind: "segment_score";
      ai_job_status: "queued" | "running" | "done" | "failed" | "canceled";
      automation_run_status: "pending" | "success" | "failed" | "skipped";
      automation_trigger: "event" | "time_based" | "segment_membership";
      contact_type: "email" | "mobile" | "phone" | "fax" | "whatsapp" | "telegram" | "portal";
      customer_status: "active" | "prospect" | "inactive" | "blacklisted";
      customer_type: "individual" | "company";
      followup_origin: "manual" | "system_rule" | "ai_recommendation";
      followup_priority: "low" | "medium" | "high";
      followup_status: "pending" | "completed" | "canceled" | "expired";
      interaction_channel: "phone_inbound" | "phone_outbound" | "email_inbound" | "email_outbound" | "sms_inbound" | "sms_outbound" | "portal_message" | "note" | "in_person" | "phone" | "email" | "meeting" | "chat" | "other" | "whatsapp_inbound" | "whatsapp_outbound";
      interaction_direction: "inbound" | "outbound" | "system_generated";
      lifecycle_stage: "lead" | "opportunity" | "customer" | "former_customer";
      location_type: "billing" | "service" | "both";
      portal_account_role: "customer" | "property_manager" | "billing_contact" | "admin";
      portal_account_status: "active" | "invited" | "suspended" | "closed";
      portal_ai_context: "general_support" | "pre_booking" | "active_job" | "billing_question";
      portal_ai_role: "user" | "assistant" | "system";
      portal_ai_status: "active" | "ended" | "escalated";
      portal_booking_source: "web_portal" | "mobile_app" | "ai_assistant";
      portal_booking_status: "submitted" | "under_review" | "approved" | "scheduled" | "rejected" | "canceled_by_customer";
      portal_invited_via: "self_signup" | "email_invite" | "csr_created";
      portal_sender_type: "portal_customer" | "internal_user" | "system";
      portal_thread_status: "open" | "pending_customer" | "pending_internal" | "closed";
      segment_type: "static" | "rule_based" | "ai_generated";
      sentiment: "positive" | "neutral" | "negative";
      template_channel: "email" | "sms" | "phone_script" | "portal_message";
    };
    CompositeTypes: { [_ in never]: never };
  };
};
